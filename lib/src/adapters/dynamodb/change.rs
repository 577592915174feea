//! One change of one row, and the conditions under which it may happen: for an update of its own or
//! in a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use super::keys::{Item, Key};
use super::rows::number;

/// Attribute names all go through placeholders, since many are reserved words.
pub struct Change {
    key: Key,
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    delete: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    pub fn of(key: Key) -> Self {
        Self {
            key,
            set: vec![],
            remove: vec![],
            add: vec![],
            delete: vec![],
            conditions: vec![],
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Of an attribute, or of a part of one, as `watch.id`.
    fn name(&mut self, path: &str) -> String {
        let placeholders: Vec<String> = path.split('.').map(|name| format!("#{name}")).collect();
        let names = placeholders.iter().cloned().zip(path.split('.').map(String::from));
        self.names.extend(names);
        placeholders.join(".")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let clause = format!("{} = {}", self.name(name), self.value(value));
        self.set.push(clause);
        self
    }

    pub fn remove(mut self, name: &str) -> Self {
        let clause = self.name(name);
        self.remove.push(clause);
        self
    }

    pub fn set_or_remove(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// Puts elements into a set.
    pub fn add(mut self, name: &str, value: AttributeValue) -> Self {
        let clause = format!("{} {}", self.name(name), self.value(value));
        self.add.push(clause);
        self
    }

    /// Takes elements out of a set.
    pub fn delete(mut self, name: &str, value: AttributeValue) -> Self {
        let clause = format!("{} {}", self.name(name), self.value(value));
        self.delete.push(clause);
        self
    }

    pub fn if_equal(mut self, name: &str, value: AttributeValue) -> Self {
        let condition = format!("{} = {}", self.name(name), self.value(value));
        self.conditions.push(condition);
        self
    }

    pub fn if_exists(self) -> Self {
        self.if_present("pk")
    }

    pub fn if_present(mut self, name: &str) -> Self {
        let condition = format!("attribute_exists({})", self.name(name));
        self.conditions.push(condition);
        self
    }

    pub fn if_absent(mut self, name: &str) -> Self {
        let condition = format!("attribute_not_exists({})", self.name(name));
        self.conditions.push(condition);
        self
    }

    /// Has this value, or is absent where there is none.
    pub fn if_still(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.if_equal(name, value),
            None => self.if_absent(name),
        }
    }

    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    fn expression(&self) -> String {
        let clauses = [
            ("SET", &self.set),
            ("REMOVE", &self.remove),
            ("ADD", &self.add),
            ("DELETE", &self.delete),
        ];
        let written = clauses
            .iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(word, parts)| format!("{word} {}", parts.join(", ")));
        written.collect::<Vec<_>>().join(" ")
    }

    pub fn into_update(self, table: &str) -> Update {
        let (key, expression, condition) =
            (self.key.attributes(), self.expression(), self.condition());
        Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .build()
            .unwrap_or_else(|_| unreachable!("table, key and expression are set above"))
    }

    /// Deletes the row, under the same conditions.
    pub fn into_deletion(self, table: &str) -> TransactWriteItem {
        let condition = self.condition();
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(self.key.attributes()))
            .set_condition_expression(condition)
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .build()
            .unwrap_or_else(|_| unreachable!("table and key are set above"));
        TransactWriteItem::builder().delete(delete).build()
    }

    pub fn into_transaction(self, table: &str) -> TransactWriteItem {
        TransactWriteItem::builder().update(self.into_update(table)).build()
    }
}

/// Writes a whole row; with `unless_there` only if none exists.
pub fn put(table: &str, row: Item, unless_there: bool) -> TransactWriteItem {
    put_if(table, row, unless_there.then_some("attribute_not_exists(pk)"), None)
}

/// Overwrites the row of this version; version 0 means that there is none yet.
pub fn put_over(table: &str, row: Item, version: u64) -> TransactWriteItem {
    match version {
        0 => put(table, row, true),
        _ => put_if(
            table,
            row,
            Some("version = :version"),
            Some(HashMap::from([(":version".into(), number(version))])),
        ),
    }
}

fn put_if(
    table: &str,
    row: Item,
    condition: Option<&str>,
    values: Option<Item>,
) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(row))
        .set_condition_expression(condition.map(String::from))
        .set_expression_attribute_values(values)
        .build()
        .unwrap_or_else(|_| unreachable!("table and item are set above"));
    TransactWriteItem::builder().put(put).build()
}
