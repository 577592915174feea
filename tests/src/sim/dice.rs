//! Chance that repeats: the same seed throws the same dice.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::world::World;

/// How a flow ended: with an answer, or by a crash.
type Ended<T> = Option<T>;

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 to `sides` - 1.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.throw() % sides.max(1)
    }

    pub fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        &of[index]
    }

    /// Lets two flows run in turns that the dice decide. A flow that reaches a crash ends there.
    pub async fn interleave<A: Future, B: Future>(
        &mut self,
        world: &World,
        one: A,
        other: B,
    ) -> (Ended<A::Output>, Ended<B::Output>) {
        let (mut one, mut other) = (pin!(one), pin!(other));
        let mut first: Option<Ended<A::Output>> = None;
        let mut second: Option<Ended<B::Output>> = None;
        poll_fn(|context| {
            loop {
                let turn = match (&first, &second) {
                    (Some(_), Some(_)) => return Poll::Ready(()),
                    (Some(_), None) => false,
                    (None, Some(_)) => true,
                    (None, None) => self.one_in(2),
                };
                if turn {
                    match one.as_mut().poll(context) {
                        Poll::Ready(answer) => first = Some(Some(answer)),
                        Poll::Pending if world.take_crashed() => first = Some(None),
                        Poll::Pending => {}
                    }
                } else {
                    match other.as_mut().poll(context) {
                        Poll::Ready(answer) => second = Some(Some(answer)),
                        Poll::Pending if world.take_crashed() => second = Some(None),
                        Poll::Pending => {}
                    }
                }
            }
        })
        .await;
        (first.flatten(), second.flatten())
    }
}
