//! Wake-ups that were given up go back into their queue, one by one: deleted only after they were
//! sent.

use serde_json::json;

use crate::args::operate::DeadLetters;
use crate::aws::Queues;
use crate::failure::Failure;
use crate::session::Session;

pub async fn run(session: &Session, options: DeadLetters) -> Result<(), Failure> {
    let settings = session.settings()?;
    let (queue, dead) = settings.queues().await?;
    let queues = Queues::new(&settings.aws().await, queue, dead);
    let waiting = queues.waiting().await?;
    if session.dry_run {
        let document = json!({"dry_run": true, "waiting": waiting});
        return session
            .output
            .document(&document, &format!("would put back about {waiting} wake-ups"));
    }
    let most = options.limit.unwrap_or(u64::MAX);
    let bar = session.output.progress(waiting.min(most), "wake-ups put back");
    let (mut moved, mut failure) = (0, None);
    'all: while moved < most {
        let letters = match queues.receive(most - moved).await {
            Ok(letters) if letters.is_empty() => break,
            Ok(letters) => letters,
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        for letter in letters {
            if let Err(error) = queues.put_back(letter).await {
                failure = Some(error);
                break 'all;
            }
            moved += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let left = queues.waiting().await;
    let summary = match &left {
        Ok(left) => format!("{moved} wake-ups put back, {left} left"),
        Err(_) => format!("{moved} wake-ups put back"),
    };
    session.output.document(&json!({"moved": moved, "left": left.as_ref().ok()}), &summary)?;
    match failure {
        Some(failure) => Err(failure),
        None => left.map(|_| ()),
    }
}
