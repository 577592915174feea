//! A table that charges as DynamoDB does: real requests, real rows. Conditions are ignored, as
//! there is only one writer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

type Item = Map<String, Value>;
type Key = (String, String);

/// The indexes of the template, all `KEYS_ONLY`.
const INDEXES: [(&str, &str, &str); 3] = [
    ("due", "due_shard", "due_at"),
    ("told", "told_of", "decided_at"),
    ("fired", "trigger_id", "decided_at"),
];
/// By how many bytes Google's access tokens are longer than those of the world in memory.
const LONGER_TOKEN: u64 = 200;

/// The requests to AWS, and the units that DynamoDB charges for them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub requests: BTreeMap<String, u64>,
    /// Halves of a read unit: an eventually consistent read costs one half.
    pub half_reads: u64,
    pub writes: u64,
    /// Requests to KMS.
    pub kms: u64,
    /// Queries of the index `due`, counted apart: they run each minute, even if nothing is due.
    pub due_half_reads: u64,
    /// Writes to the index `due`, also counted in `writes`: it has few partitions.
    pub due_writes: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        for (operation, times) in &other.requests {
            *self.requests.entry(operation.clone()).or_default() += times;
        }
        self.half_reads += other.half_reads;
        self.writes += other.writes;
        self.kms += other.kms;
        self.due_half_reads += other.due_half_reads;
        self.due_writes += other.due_writes;
    }
}

#[derive(Default)]
pub struct Table {
    rows: BTreeMap<Key, Item>,
    pub tally: Tally,
}

impl Table {
    /// When something is due next, in seconds.
    pub fn next_due(&self) -> Option<i64> {
        self.rows.values().filter_map(|row| row.get("due_at")?["N"].as_str()?.parse().ok()).min()
    }

    /// The size in bytes of the largest row whose sort key begins with `sk` and does not contain
    /// `not`.
    pub fn greatest(&self, sk: &str, not: &str) -> u64 {
        let kept = self
            .rows
            .iter()
            .filter(|((_, key), _)| key.starts_with(sk) && (not.is_empty() || !key.contains(not)));
        kept.map(|(_, row)| size(row)).max().unwrap_or(0)
    }

    pub fn answer(&mut self, operation: &str, body: &Value) -> Value {
        *self.tally.requests.entry(operation.into()).or_default() += 1;
        match operation {
            "GetItem" => self.read(&body["Key"]).map_or(json!({}), |row| json!({"Item": row})),
            "BatchGetItem" => {
                let (table, wanted) = only(&body["RequestItems"]);
                let found: Vec<Item> =
                    list(&wanted["Keys"]).filter_map(|key| self.read(key)).collect();
                json!({"Responses": {table: found}, "UnprocessedKeys": {}})
            }
            "Query" if body["IndexName"].is_string() => self.index(body),
            "Query" => self.partition(body),
            "UpdateItem" => {
                self.update(body, 1);
                json!({})
            }
            "TransactWriteItems" => {
                // Each row is written twice: prepared, then committed.
                list(&body["TransactItems"]).for_each(|item| self.write_of(item, 2));
                json!({})
            }
            "DeleteItem" => self
                .write(key_of(&body["Key"]), None, 1)
                .map_or(json!({}), |row| json!({"Attributes": row})),
            "BatchWriteItem" => {
                let (_, writes) = only(&body["RequestItems"]);
                for write in list(writes) {
                    self.write(key_of(&write["DeleteRequest"]["Key"]), None, 1);
                }
                json!({"UnprocessedItems": {}})
            }
            other => panic!("the metered table knows no {other}"),
        }
    }

    /// A strongly consistent read; a missing row costs as much as a small one.
    fn read(&mut self, key: &Value) -> Option<Item> {
        let row = self.rows.get(&key_of(key)).cloned();
        self.tally.half_reads += 2 * units(row.as_ref().map_or(0, size), 4096);
        row
    }

    fn partition(&mut self, body: &Value) -> Value {
        let value = |name: &str| {
            body["ExpressionAttributeValues"][name]["S"].as_str().unwrap_or_default().to_string()
        };
        let (pk, prefix) = (value(":pk"), value(":prefix"));
        let of = |(row_pk, row_sk): &Key| *row_pk == pk && row_sk.starts_with(&prefix);
        let rows: Vec<Item> =
            self.rows.iter().filter(|(key, _)| of(key)).map(|(_, row)| row.clone()).collect();
        self.tally.half_reads += 2 * units(rows.iter().map(size).sum(), 4096);
        json!({"Items": rows, "Count": rows.len()})
    }

    fn index(&mut self, body: &Value) -> Value {
        let name = body["IndexName"].as_str().unwrap_or_default();
        let (_, hash, range) =
            *INDEXES.iter().find(|(index, ..)| *index == name).expect("an index of the template");
        let values = &body["ExpressionAttributeValues"];
        let wanted = if name == "due" { &values[":shard"] } else { &values[":of"] };
        let until = values[":now"]["N"]
            .as_str()
            .and_then(|now| now.parse::<i64>().ok())
            .unwrap_or(i64::MAX);
        let is_due = |row: &Item| {
            name != "due"
                || row[range]["N"]
                    .as_str()
                    .and_then(|at| at.parse().ok())
                    .is_some_and(|at: i64| at <= until)
        };
        let mut entries: Vec<Item> =
            self.rows.values().filter_map(|row| entry(row, hash, range)).collect();
        entries.retain(|row| row[hash] == *wanted && is_due(row));
        entries.sort_by_key(|row| row[range].to_string());
        if body["ScanIndexForward"] == json!(false) {
            entries.reverse();
        }
        entries.truncate(
            usize::try_from(body["Limit"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX),
        );
        let halves = units(entries.iter().map(size).sum(), 4096);
        match name {
            "due" => self.tally.due_half_reads += halves,
            _ => self.tally.half_reads += halves,
        }
        json!({"Items": entries, "Count": entries.len()})
    }

    fn write_of(&mut self, item: &Value, times: u64) {
        if let Some(put) = item.get("Put") {
            let row = put["Item"].as_object().cloned().expect("a row");
            self.write(key_of(&put["Item"]), Some(row), times);
        } else if let Some(delete) = item.get("Delete") {
            self.write(key_of(&delete["Key"]), None, times);
        } else {
            self.update(&item["Update"], times);
        }
    }

    fn update(&mut self, update: &Value, times: u64) {
        let key = key_of(&update["Key"]);
        let mut row = self
            .rows
            .get(&key)
            .cloned()
            .unwrap_or_else(|| update["Key"].as_object().cloned().expect("a key"));
        let name = |text: &str| {
            update["ExpressionAttributeNames"][text].as_str().unwrap_or(text).to_string()
        };
        let value = |text: &str| update["ExpressionAttributeValues"][text].clone();
        let expression = update["UpdateExpression"].as_str().unwrap_or_default().replace(',', " ");
        let (mut words, mut clause) = (expression.split_whitespace().peekable(), "");
        while let Some(word) = words.next() {
            match (word, clause) {
                ("SET" | "REMOVE" | "ADD" | "DELETE", _) => clause = word,
                (attribute, "SET") => {
                    let (_, written) = (words.next(), words.next().expect("what is set"));
                    row.insert(name(attribute), value(written));
                }
                (attribute, "REMOVE") => drop(row.remove(&name(attribute))),
                (attribute, _) => {
                    let changed = value(words.next().expect("elements of a set"));
                    change_set(&mut row, name(attribute), &changed, clause == "ADD");
                }
            }
        }
        self.write(key, Some(row), times);
    }

    /// Charged by the larger size of the row before and after; each removed or added index entry is
    /// one more write.
    fn write(&mut self, key: Key, after: Option<Item>, times: u64) -> Option<Item> {
        let before = self.rows.get(&key).cloned();
        let greater = before.as_ref().map_or(0, size).max(after.as_ref().map_or(0, size));
        self.tally.writes += times * units(greater, 1024);
        for (name, hash, range) in INDEXES {
            let [old, new] =
                [&before, &after].map(|row| row.as_ref().and_then(|row| entry(row, hash, range)));
            if old != new {
                let moved = u64::from(old.is_some()) + u64::from(new.is_some());
                self.tally.writes += moved;
                self.tally.due_writes += if name == "due" { moved } else { 0 };
            }
        }
        match after {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        }
    }
}

fn change_set(row: &mut Item, name: String, changed: &Value, adds: bool) {
    let mut elements: Vec<Value> =
        row.get(&name).map(|set| list(&set["SS"]).cloned().collect()).unwrap_or_default();
    elements.retain(|element| !list(&changed["SS"]).any(|other| other == element));
    if adds {
        elements.extend(list(&changed["SS"]).cloned());
    }
    if elements.is_empty() {
        row.remove(&name);
    } else {
        row.insert(name, json!({"SS": elements}));
    }
}

/// The entry of the row in an index, if it has the attributes of its keys.
fn entry(row: &Item, hash: &str, range: &str) -> Option<Item> {
    ["pk", "sk", hash, range]
        .into_iter()
        .map(|name| Some((name.to_string(), row.get(name)?.clone())))
        .collect()
}

fn key_of(key: &Value) -> Key {
    let part = |name: &str| key[name]["S"].as_str().expect("keys are strings").to_string();
    (part("pk"), part("sk"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn only(tables: &Value) -> (&String, &Value) {
    tables.as_object().and_then(|tables| tables.iter().next()).expect("one table")
}

fn units(bytes: u64, unit: u64) -> u64 {
    bytes.div_ceil(unit).max(1)
}

fn size(row: &Item) -> u64 {
    let attributes: u64 = row.iter().map(|(name, value)| length(name) + size_of(value)).sum();
    attributes + if row.contains_key("access_token") { LONGER_TOKEN } else { 0 }
}

fn length(text: &str) -> u64 {
    text.len() as u64
}

/// As the developer guide counts: text by bytes, a number by pairs of digits, a list or map with 3
/// bytes and one for each element.
fn size_of(value: &Value) -> u64 {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return 1;
    };
    let text = inner.as_str().unwrap_or_default();
    match kind.as_str() {
        "S" => length(text),
        "N" => length(text).div_ceil(2) + 1,
        "B" => BASE64_STANDARD.decode(text).map_or(0, |bytes| bytes.len() as u64),
        "SS" => list(inner).map(|element| length(element.as_str().unwrap_or_default())).sum(),
        "L" => 3 + list(inner).map(|element| 1 + size_of(element)).sum::<u64>(),
        "M" => {
            3 + inner
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, element)| 1 + length(name) + size_of(element))
                .sum::<u64>()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pk: &str) -> Value {
        json!({"pk": {"S": pk}, "sk": {"S": "s"}})
    }

    #[test]
    fn charges_as_the_developer_guide_says() {
        let mut table = Table::default();
        let big = "x".repeat(1500);
        let put = json!({"TransactItems": [{"Put": {"Item": {"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": big}}}}]});
        table.answer("TransactWriteItems", &put);
        assert_eq!(table.tally.writes, 4, "two units, twice");
        let due = json!({"Key": key("p"), "UpdateExpression": "SET #a = :v0, #b = :v1 REMOVE #t",
            "ExpressionAttributeNames": {"#a": "due_shard", "#b": "due_at", "#t": "text"},
            "ExpressionAttributeValues": {":v0": {"S": "connector#0"}, ":v1": {"N": "60"}}});
        table.answer("UpdateItem", &due);
        assert_eq!(
            (table.tally.writes, table.tally.due_writes),
            (4 + 2 + 1, 1),
            "the greater size, and an entry of the index"
        );
        assert_eq!(table.next_due(), Some(60));
        assert_eq!(table.answer("GetItem", &json!({"Key": key("p")}))["Item"]["due_at"]["N"], "60");
        table.answer("GetItem", &json!({"Key": key("none")}));
        assert_eq!(table.tally.half_reads, 4);
        let of = |now: &str| json!({"IndexName": "due", "ExpressionAttributeValues": {":shard": {"S": "connector#0"}, ":now": {"N": now}}});
        assert_eq!(table.answer("Query", &of("59"))["Count"], 0);
        assert_eq!(table.answer("Query", &of("60"))["Count"], 1);
        assert_eq!((table.tally.half_reads, table.tally.due_half_reads), (4, 2));
        table.answer("DeleteItem", &json!({"Key": key("p")}));
        assert_eq!((table.tally.writes, table.tally.due_writes), (9, 2));
    }
}
