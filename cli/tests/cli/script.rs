//! A set-up script of the documents, run with a stand-in for the vendor's command line that records its
//! calls.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::server::Folder;

pub struct Script {
    path: String,
    /// What the stand-in keeps: its calls, and what exists.
    pub folder: Folder,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Script {
    /// A script, by its path below `docs/`; `program` is what it calls, `stand_in` a script in its place
    /// that writes each call to `$STATE/calls`.
    pub fn new(path: &str, program: &str, stand_in: &str) -> Self {
        let folder = Folder::new();
        let file = folder.file(program, stand_in);
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { path: format!("{}/../docs/{path}", env!("CARGO_MANIFEST_DIR")), folder }
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path("."));
        let mut command = Command::new("bash");
        command.arg(&self.path).args(arguments).env_clear().env("PATH", path);
        let output = command.env("STATE", self.folder.path(".")).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.folder.path("calls")).unwrap_or_default();
        self.folder.file("calls", "");
        calls.lines().map(String::from).collect()
    }
}
