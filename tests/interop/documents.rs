//! A stock validator checks the documents of our interfaces.

use std::{fs, path::PathBuf};

use anyhow::Result;
use serde_json::json;

use crate::desk::{ScriptFolder, schema_file};

#[tokio::test]
async fn our_interface_documents_are_valid() -> Result<()> {
    let openapi: Vec<PathBuf> =
        fs::read_dir(schema_file("openapi"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let facts = json!({ "openapi": openapi, "asyncapi": schema_file("asyncapi.yaml") });
    ScriptFolder::new()?.run_with_requirements("documents.py", &facts).await
}
