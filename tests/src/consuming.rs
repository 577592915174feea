//! The sample consumer's claims in memory, and the contract of every store of claims.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use consumer::claims::{Claim, Claims, Lease, Unavailable};
use futures_util::future::join_all;

#[derive(Default)]
pub struct MemoryClaims {
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    claimed: u32,
    standing: BTreeMap<String, Standing>,
}

enum Standing {
    Leased { token: String, ends_at: SystemTime },
    Done,
}

impl Rows {
    fn is_leased(&self, lease: &Lease) -> bool {
        matches!(self.standing.get(&lease.event_id), Some(Standing::Leased { token, .. }) if *token == lease.token)
    }
}

impl Claims for MemoryClaims {
    async fn claim(
        &self,
        event_id: &str,
        lease: Duration,
        now: SystemTime,
    ) -> Result<Claim, Unavailable> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        match rows.standing.get(event_id) {
            Some(Standing::Done) => return Ok(Claim::Done),
            Some(Standing::Leased { ends_at, .. }) if *ends_at > now => return Ok(Claim::InHand),
            _ => {}
        }
        rows.claimed += 1;
        let token = rows.claimed.to_string();
        rows.standing.insert(
            event_id.into(),
            Standing::Leased { token: token.clone(), ends_at: now + lease },
        );
        Ok(Claim::Ours(Lease { event_id: event_id.into(), token }))
    }

    async fn done(&self, lease: &Lease, _now: SystemTime) -> Result<bool, Unavailable> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let leased = rows.is_leased(lease);
        if leased {
            rows.standing.insert(lease.event_id.clone(), Standing::Done);
        }
        Ok(leased)
    }

    async fn release(&self, lease: &Lease) -> Result<(), Unavailable> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_leased(lease) {
            rows.standing.remove(&lease.event_id);
        }
        Ok(())
    }
}

const LEASE: Duration = Duration::from_secs(60);

/// Panics if a store of claims breaks the contract. At `now` no row of it may be expired.
pub async fn claims_contract(claims: &impl Claims, now: SystemTime) {
    one_has_it_until_the_lease_ends(claims, now).await;
    what_is_done_stays_done(claims, now).await;
    what_is_given_back_is_free(claims, now).await;
    of_many_at_once_one_has_it(claims, now).await;
}

async fn ours(claims: &impl Claims, event_id: &str, now: SystemTime) -> Lease {
    match claims.claim(event_id, LEASE, now).await.expect("claims that answer") {
        Claim::Ours(lease) => lease,
        other => panic!("{event_id} is {other:?}"),
    }
}

async fn claim(claims: &impl Claims, event_id: &str, now: SystemTime) -> Claim {
    claims.claim(event_id, LEASE, now).await.expect("claims that answer")
}

async fn one_has_it_until_the_lease_ends(claims: &impl Claims, now: SystemTime) {
    let first = ours(claims, "evt_leased", now).await;
    let just_before = now + LEASE - Duration::from_millis(1);
    assert_eq!(claim(claims, "evt_leased", just_before).await, Claim::InHand);
    ours(claims, "evt_another", now).await;
    let second = ours(claims, "evt_leased", now + LEASE).await;
    assert_ne!(first.token, second.token);
    let later = now + LEASE + Duration::from_secs(1);
    assert!(
        !claims.done(&first, later).await.expect("claims that answer"),
        "an expired lease marks nothing"
    );
    claims.release(&first).await.expect("claims that answer");
    assert_eq!(claim(claims, "evt_leased", later).await, Claim::InHand, "and releases nothing");
    assert!(claims.done(&second, later).await.expect("claims that answer"));
}

async fn what_is_done_stays_done(claims: &impl Claims, now: SystemTime) {
    let lease = ours(claims, "evt_done", now).await;
    assert!(claims.done(&lease, now).await.expect("claims that answer"));
    assert!(!claims.done(&lease, now).await.expect("claims that answer"), "its lease has ended");
    claims.release(&lease).await.expect("claims that answer");
    for later in [Duration::ZERO, LEASE, 24 * 60 * LEASE] {
        assert_eq!(claim(claims, "evt_done", now + later).await, Claim::Done, "{later:?} later");
    }
}

async fn what_is_given_back_is_free(claims: &impl Claims, now: SystemTime) {
    let lease = ours(claims, "evt_free", now).await;
    claims.release(&lease).await.expect("claims that answer");
    let again = ours(claims, "evt_free", now).await;
    assert!(!claims.done(&lease, now).await.expect("claims that answer"));
    assert!(claims.done(&again, now).await.expect("claims that answer"));
}

async fn of_many_at_once_one_has_it(claims: &impl Claims, now: SystemTime) {
    let heard = join_all((0..16).map(|_| claim(claims, "evt_wanted", now))).await;
    assert_eq!(
        heard.iter().filter(|claim| matches!(claim, Claim::Ours(_))).count(),
        1,
        "{heard:?}"
    );
    assert_eq!(
        heard.iter().filter(|claim| matches!(claim, Claim::InHand)).count(),
        15,
        "{heard:?}"
    );
}
