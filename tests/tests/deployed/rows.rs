//! The stack's table, as no interface shows it.

use aws_sdk_dynamodb::types::AttributeValue;
use tests::deployed::Stack;

/// The stack's table, whose rows a test changes as time or a crash would.
pub struct Rows<'a> {
    stack: &'a Stack,
    client: aws_sdk_dynamodb::Client,
}

impl<'a> Rows<'a> {
    pub async fn of(stack: &'a Stack) -> Self {
        Self { stack, client: aws_sdk_dynamodb::Client::new(&stack.config().await) }
    }

    pub async fn change(
        &self,
        (pk, sk): (String, String),
        expression: &str,
        values: &[(&str, AttributeValue)],
    ) {
        let request =
            self.client.update_item().table_name(&self.stack.table).update_expression(expression);
        let request = request
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .condition_expression("attribute_exists(pk)");
        let request = values.iter().fold(request, |request, (name, value)| {
            request.expression_attribute_values(*name, value.clone())
        });
        // DynamoDB's reserved words are written as `#position`.
        let reserved = expression
            .split([' ', ',', '.'])
            .filter_map(|word| Some((word, word.strip_prefix('#')?)));
        let request = reserved.fold(request, |request, (placeholder, name)| {
            request.expression_attribute_names(placeholder, name)
        });
        request.send().await.unwrap();
    }

    pub async fn row(
        &self,
        (pk, sk): (String, String),
    ) -> Option<std::collections::HashMap<String, AttributeValue>> {
        let request = self.client.get_item().table_name(&self.stack.table).consistent_read(true);
        request
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .send()
            .await
            .unwrap()
            .item
    }

    pub async fn delete(&self, (pk, sk): (String, String)) {
        let request = self
            .client
            .delete_item()
            .table_name(&self.stack.table)
            .key("pk", AttributeValue::S(pk));
        request.key("sk", AttributeValue::S(sk)).send().await.unwrap();
    }
}
