//! Inputs near a given one: the same dice make the same.

use crate::sim::dice::Dice;

/// What readers trip over.
const TOKENS: [&[u8]; 32] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\r\n",
    b"\n",
    b"\n\n",
    b"\0",
    b"%00",
    b"%0d%0a",
    b"%ff",
    b"--",
    b"=",
    b"&",
    b";",
    b"+",
    b"-1",
    b"0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e999",
    b"null",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    "\u{130}".as_bytes(),
    b"=?utf-8?q?=0d=0a?=",
    b"=?utf-8?b?AA==?=",
];

/// `of` after a few changes; now and then with a piece of `other`.
pub fn mutated(of: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = of.to_vec();
    for _ in 0..=dice.below(4) {
        change(&mut bytes, other, dice);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (from, to) = range(bytes.len(), dice);
    match dice.below(8) {
        0 if from < bytes.len() => bytes[from] ^= 1 << dice.below(8),
        1 if from < bytes.len() => bytes[from] = byte(dice),
        2 => bytes.insert(from, byte(dice)),
        3 => drop(bytes.drain(from..to)),
        4 => bytes.truncate(from),
        5 => {
            let again = bytes[from..to].to_vec();
            bytes.splice(to..to, again);
        }
        6 => {
            let (begin, end) = range(other.len(), dice);
            bytes.splice(from..to, other[begin..end].iter().copied());
        }
        _ => {
            let token = *dice.pick(&TOKENS);
            bytes.splice(from..from, token.iter().copied());
        }
    }
}

/// Short ranges more often than long ones.
fn range(length: usize, dice: &mut Dice) -> (usize, usize) {
    let below =
        |most: usize, dice: &mut Dice| usize::try_from(dice.below(most as u64 + 1)).unwrap_or(0);
    let from = below(length, dice);
    let longest = if dice.one_in(4) { length - from } else { (length - from).min(16) };
    (from, from + below(longest, dice))
}

fn byte(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(256)).unwrap_or(0)
}
