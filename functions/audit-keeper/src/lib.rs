//! Lines of other functions' logs to the audit lines among them, printed as they are.

use std::io::{self, Write};

use aws_lambda_events::cloudwatch_logs::LogsEvent;
use email_connectors::domain::audit::is_line;

/// Prints the audit lines and returns how many. The subscription filter only matches words, so each
/// line is checked here.
pub fn keep(event: &LogsEvent, printed: &mut impl Write) -> io::Result<usize> {
    let messages = event.aws_logs.data.log_events.iter().map(|logged| logged.message.trim_end());
    let mut kept = 0;
    for line in messages.filter(|message| is_line(message)) {
        // In one write: Lambda logs each part that it reads as a line of its own.
        printed.write_all(format!("{line}\n").as_bytes())?;
        kept += 1;
    }
    printed.flush()?;
    Ok(kept)
}
