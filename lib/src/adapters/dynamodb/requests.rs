//! What an owner's requests leave for a while: idempotency keys, of which the first request claims
//! one and repetitions get its answer, and connect sessions.

use futures_util::future::try_join_all;
use uuid::Uuid;

use super::DynamoStore;
use super::change::{Change, put, put_over};
use super::rows::{RequestRow, SessionRow, item, number, read};
use super::{MOST_ATTEMPTS, keys};
use crate::domain::connect_session::ConnectSession;
use crate::domain::id::OwnerId;
use crate::ports::{ClaimedKey, KEY_LIFE, RequestKey, StoreError};

impl DynamoStore {
    pub(super) async fn claim(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
    ) -> Result<Option<ClaimedKey>, StoreError> {
        let row_key = || keys::request(owner, key.name);
        for _ in 0..MOST_ATTEMPTS {
            match self
                .transact(vec![put(&self.table, item(&row_key(), &row(key, None))?, true)])
                .await
            {
                Ok(()) => return Ok(None),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
            // No row: the key was released in between. Claim it again.
            let Some(stored) = self.get(row_key()).await? else { continue };
            let stored: RequestRow = read(stored)?;
            // DynamoDB deletes expired rows with a delay.
            if stored.expires_at > key.at.seconds() {
                return Ok(Some(ClaimedKey {
                    body: stored.body,
                    at: stored.claimed_at,
                    answer: stored.answer,
                }));
            }
            // Only that row, not one that another request wrote in between.
            let expired = Change::of(row_key()).if_equal("expires_at", number(stored.expires_at));
            match self.transact(vec![expired.into_deletion(&self.table)]).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    pub(super) async fn answer(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
        answer: &str,
    ) -> Result<(), StoreError> {
        let row = row(key, Some(answer.to_string()));
        self.transact(vec![put(&self.table, item(&keys::request(owner, key.name), &row)?, false)])
            .await
    }

    /// Over the version before it; version 1 is new.
    pub(super) async fn write_session(
        &self,
        owner: &OwnerId,
        session: &ConnectSession,
    ) -> Result<(), StoreError> {
        let before = session.version.checked_sub(1).ok_or(StoreError::Conflict)?;
        let row = item(&keys::session(owner, session.id), &SessionRow::from(session))?;
        self.transact(vec![put_over(&self.table, row, before)]).await
    }

    pub(super) async fn read_session(
        &self,
        owner: &OwnerId,
        id: Uuid,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let row = self.get(keys::session(owner, id)).await?;
        Ok(row.map(read::<SessionRow>).transpose()?.map(|row| row.session))
    }

    /// Deletes the rows that an owner's requests left: exchanges, consents, connect sessions, and
    /// idempotency keys.
    pub(super) async fn forget_left(&self, owner: &OwnerId) -> Result<(), StoreError> {
        let left = keys::OF_REQUESTS.map(|prefix| self.query(keys::owner(owner), prefix));
        let rows = try_join_all(left).await?;
        self.delete_all(
            rows.into_iter().flatten().map(|row| keys::of(&row)).collect::<Result<_, _>>()?,
        )
        .await
    }

    pub(super) async fn release(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
    ) -> Result<(), StoreError> {
        let claim = Change::of(keys::request(owner, key.name));
        self.transact(vec![claim.into_deletion(&self.table)]).await
    }
}

fn row(key: &RequestKey, answer: Option<String>) -> RequestRow {
    RequestRow {
        body: key.body,
        claimed_at: key.at,
        answer,
        expires_at: key.at.after(KEY_LIFE).seconds(),
    }
}
