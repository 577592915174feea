//! The functions' roles, as the template declares them.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use crate::statement::Statement;

/// Each function's statements, by the name of its binary.
pub fn of_functions(template: &Value) -> BTreeMap<String, Vec<Statement>> {
    let resources = template["Resources"].as_mapping().unwrap();
    let functions =
        resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    let role = |function: &Value| {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        let properties = &function["Properties"];
        // Recorded calls are attributed to functions by the app id in the SDK's user agent.
        assert_eq!(properties["Environment"]["Variables"]["AWS_SDK_UA_APP_ID"], binary);
        let role = properties["Role"].as_str().unwrap().strip_suffix(".Arn").unwrap();
        (binary.to_string(), statements(&template["Resources"][role], role))
    };
    functions.map(role).collect()
}

fn statements(role: &Value, name: &str) -> Vec<Statement> {
    assert_eq!(
        role["Properties"]["ManagedPolicyArns"],
        Value::Null,
        "{name} has managed policies, which are not evaluated here"
    );
    let policies = role["Properties"]["Policies"].as_sequence().unwrap().iter();
    let all =
        policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().unwrap());
    // Lambda itself sends traces, under the function's role; X-Ray has no resource-level
    // permissions.
    let traces = |statement: &&Value| {
        let actions = statement["Action"].as_sequence();
        actions.is_some_and(|actions| {
            actions
                .iter()
                .all(|action| action.as_str().is_some_and(|action| action.starts_with("xray:Put")))
        })
    };
    all.filter(|statement| !traces(statement))
        .map(|statement| Statement::read(statement).unwrap_or_else(|why| panic!("{name}: {why}")))
        .collect()
}
