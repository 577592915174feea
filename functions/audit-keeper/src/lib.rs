//! Lines of other functions' logs to the audit lines among them, printed as they are.

use std::io::{self, Write};

use aws_lambda_events::cloudwatch_logs::LogsEvent;
use email_connectors::domain::audit::is_line;

/// How many were printed. What is handed over holds the words of an audit line; whether it is one is seen here.
pub fn keep(event: &LogsEvent, printed: &mut impl Write) -> io::Result<usize> {
    let messages = event.aws_logs.data.log_events.iter().map(|logged| logged.message.trim_end());
    let mut kept = 0;
    for line in messages.filter(|message| is_line(message)) {
        // In one write: what Lambda reads in two parts is two lines to it.
        printed.write_all(format!("{line}\n").as_bytes())?;
        kept += 1;
    }
    printed.flush()?;
    Ok(kept)
}
