//! Prints the API's description as `GET /api/openapi.json` serves it, for those who generate a
//! client of it.

use connectors_api::openapi::description;

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&description())?);
    Ok(())
}
