//! What is not known of Gmail's answers, and so can come either way.

use serde::{Deserialize, Serialize};

/// How the parts of a mail are shown. The defaults are what recorded answers show.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shapes {
    /// A mail within the mail that has no file name.
    pub nested_mail: NestedMail,
    pub named_nested_mail: NestedMail,
    /// `message/delivery-status` and the other reports made of headers.
    pub delivery_status: HeaderGroups,
    /// A mail within `deepest` mails.
    pub deep: Deep,
    pub deepest: usize,
    /// A text without file name of more than `large` bytes.
    pub large_text: UnnamedText,
    pub large: usize,
    /// A text without file name that says `Content-Disposition: attachment`.
    pub disposed_text: UnnamedText,
    /// A text with a file name.
    pub text_file: TextFile,
    /// A text that is UTF-8, though it is said to be something else.
    pub mislabelled_text: MislabelledText,
    /// An encoded name of an address that would need quotes once it is decoded.
    pub decoded_names: DecodedNames,
    pub part_id_of_root: RootPartId,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NestedMail {
    /// No content, and the mail in `parts`.
    Apart,
    /// By an attachment id, and without parts.
    HandedOut,
    Both,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderGroups {
    /// No content, and a part for each group.
    Apart,
    /// `data`, and no parts.
    Text,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deep {
    /// As any other.
    Nested,
    /// By an attachment id, and without parts.
    Leaf,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnnamedText {
    /// `data`.
    Inline,
    /// By an attachment id.
    HandedOut,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFile {
    AsSent,
    Utf8,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MislabelledText {
    Detected,
    AsDeclared,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodedNames {
    /// `Doe, Jane <jane@example.com>`.
    Bare,
    /// `"Doe, Jane" <jane@example.com>`.
    Quoted,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RootPartId {
    Empty,
    Absent,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            nested_mail: NestedMail::Apart,
            named_nested_mail: NestedMail::Apart,
            delivery_status: HeaderGroups::Apart,
            deep: Deep::Nested,
            deepest: 5,
            large_text: UnnamedText::Inline,
            large: 100_000,
            disposed_text: UnnamedText::Inline,
            text_file: TextFile::AsSent,
            mislabelled_text: MislabelledText::Detected,
            decoded_names: DecodedNames::Bare,
            part_id_of_root: RootPartId::Empty,
        }
    }
}
