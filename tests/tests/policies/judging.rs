//! Every recorded call is allowed by a statement, and every allowed right was used by a call.

use std::collections::{BTreeMap, BTreeSet};

use crate::calls::{self, Calls};
use crate::statement::{Right, Statement};
use ::tests::template;

use crate::roles;

const EVERY_FUNCTION: &str = "*";

/// A right that no call shows, and why not: function, action, resource, value of the condition key.
type Unshown = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Rights whose use no run can record.
const NEVER_SEEN: [Unshown; 5] = [
    (
        EVERY_FUNCTION,
        "logs:CreateLogStream",
        "*",
        "*",
        "Lambda itself writes the logs, under the function's role",
    ),
    (
        EVERY_FUNCTION,
        "logs:PutLogEvents",
        "*",
        "*",
        "Lambda itself writes the logs, under the function's role",
    ),
    (
        "history-processor",
        "sqs:ReceiveMessage",
        "NotificationQueue",
        "*",
        "the event source mapping polls, under the function's role",
    ),
    (
        "history-processor",
        "sqs:DeleteMessage",
        "NotificationQueue",
        "*",
        "the event source mapping polls, under the function's role",
    ),
    (
        "history-processor",
        "sqs:GetQueueAttributes",
        "NotificationQueue",
        "*",
        "the event source mapping polls, under the function's role",
    ),
];

fn names((of, action, resource, value, _): &Unshown, function: &str, right: &Right) -> bool {
    let fits = |rule: &str, text: &str| rule == "*" || rule == text;
    fits(of, function)
        && *action == right.action
        && fits(resource, &right.resource)
        && fits(value, &right.value)
}

fn is_among(unshown: &[Unshown], function: &str, right: &Right) -> bool {
    unshown.iter().any(|unshown| names(unshown, function, right))
}

/// The differences between roles and calls, as messages.
fn judge(roles: &BTreeMap<String, Vec<Statement>>, calls: &Calls) -> Vec<String> {
    let unreadable =
        calls.unreadable.iter().map(|call| format!("a call that cannot be read: {call}"));
    let strangers = calls
        .requests
        .keys()
        .filter(|function| !roles.contains_key(*function))
        .map(|function| format!("{function} is no function"));
    let mut wrong: Vec<String> = unreadable.chain(strangers).collect();
    for (function, statements) in roles {
        let none = BTreeMap::new();
        let requests = calls.requests.get(function).unwrap_or(&none);
        // A function without calls of its own only writes logs.
        let is_silent = statements
            .iter()
            .flat_map(Statement::rights)
            .all(|right| is_among(&NEVER_SEEN, function, &right));
        if requests.is_empty() && !is_silent {
            wrong.push(format!("{function} made no call at all"));
        }
        let refused = requests
            .iter()
            .filter(|(request, _)| !statements.iter().any(|statement| statement.allows(request)));
        wrong.extend(refused.map(|(request, times)| {
            format!("{function} is not allowed what it called {times} times: {request:?}")
        }));
        for statement in statements {
            let allowed = requests.keys().filter(|request| statement.allows(request));
            let used: BTreeSet<Right> =
                allowed.flat_map(|request| statement.used_by(request)).collect();
            let unused = statement.rights().into_iter().filter(|right| !used.contains(right));
            let missing = unused.filter(|right| !is_among(&NEVER_SEEN, function, right));
            wrong.extend(missing.map(|right| format!("{function} never used {right:?}")));
            let seen = used.iter().filter(|right| is_among(&NEVER_SEEN, function, right));
            wrong.extend(seen.map(|right| {
                format!("{function} was seen using {right:?}, which is listed in NEVER_SEEN")
            }));
        }
    }
    wrong
}

#[test]
fn every_call_is_allowed_and_everything_allowed_is_called() {
    let (roles, calls) = (roles::of_functions(&template::read()), calls::recorded());
    let rights: usize = roles.values().flatten().map(|statement| statement.rights().len()).sum();
    let times: usize = calls.requests.values().flat_map(BTreeMap::values).sum();
    println!("{rights} rights of {} functions, {times} uses of them", roles.len());
    let wrong = judge(&roles, &calls);
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_no_call_shows_is_allowed_to_somebody() {
    let roles = roles::of_functions(&template::read());
    for unshown in &NEVER_SEEN {
        let allows = |(function, role): (&String, &Vec<Statement>)| {
            role.iter().flat_map(Statement::rights).any(|right| names(unshown, function, &right))
        };
        assert!(roles.iter().any(allows), "nobody is allowed {unshown:?}");
    }
}

#[cfg(test)]
mod tests {
    use serde_yaml_ng::from_str;

    use super::*;
    use crate::statement::AwsRequest;

    fn role(yaml: &str) -> BTreeMap<String, Vec<Statement>> {
        BTreeMap::from([("f".into(), vec![Statement::read(&from_str(yaml).unwrap()).unwrap()])])
    }

    fn called(function: &str, actions: &[&str]) -> Calls {
        let request = |action: &&str| {
            (
                AwsRequest {
                    action: action.to_string(),
                    resource: "R".into(),
                    keys: BTreeMap::new(),
                },
                1,
            )
        };
        Calls {
            requests: BTreeMap::from([(function.into(), actions.iter().map(request).collect())]),
            unreadable: BTreeSet::new(),
        }
    }

    #[test]
    fn each_way_that_roles_and_calls_can_differ_is_reported() {
        let role = role("{Effect: Allow, Action: [a:One, a:Two], Resource: R.Arn}");
        let table = [
            (called("f", &["a:One", "a:Two"]), vec![]),
            (called("f", &["a:One"]), vec!["f never used"]),
            (
                called("f", &["a:One", "a:Two", "a:Three"]),
                vec!["f is not allowed what it called 1 times"],
            ),
            (
                called("g", &["a:One"]),
                vec!["g is no function", "f made no call at all", "f never used", "f never used"],
            ),
            (
                Calls { unreadable: ["x".into()].into(), ..called("f", &["a:One", "a:Two"]) },
                vec!["a call that cannot be read"],
            ),
        ];
        for (calls, expected) in table {
            let wrong = judge(&role, &calls);
            assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
            assert!(
                wrong.iter().zip(expected).all(|(wrong, start)| wrong.starts_with(start)),
                "{wrong:?}"
            );
        }
    }
}
