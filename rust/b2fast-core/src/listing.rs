//! Pages of file versions, as `b2_list_file_versions` and `b2_list_file_names` answer them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One answer, borrowed from its text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<'a> {
    /// The versions, in the order of the answer.
    #[serde(borrow)]
    pub files: Vec<FileVersion<'a>>,
    /// Where the next page begins; `None` behind the last one.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    pub next_file_name: Option<Text<'a>>,
    /// The version with which the next page begins. Listings of names have none.
    #[serde(borrow)]
    pub next_file_id: Option<Text<'a>>,
}

/// What a listing tells of one version. Further fields are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // The names are B2's.
pub struct FileVersion<'a> {
    #[serde(borrow)]
    pub account_id: Text<'a>,
    #[serde(borrow, deserialize_with = "not_empty")]
    pub action: Text<'a>,
    #[serde(borrow)]
    pub bucket_id: Text<'a>,
    /// API version 1 says size. Both in one version are an error.
    #[serde(alias = "size")]
    pub content_length: i64,
    #[serde(borrow)]
    pub content_md5: Option<Text<'a>>,
    #[serde(borrow)]
    pub content_sha1: Option<Text<'a>>,
    #[serde(borrow)]
    pub content_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub file_id: Text<'a>,
    #[serde(borrow)]
    pub file_info: Option<FileInfo<'a>>,
    #[serde(borrow)]
    pub file_name: Text<'a>,
    pub upload_timestamp: Option<i64>,
    /// The settings stay text: few of them are different ones.
    #[serde(borrow, default, deserialize_with = "present")]
    pub server_side_encryption: Option<Json<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub file_retention: Option<Json<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub legal_hold: Option<Json<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub replication_status: Option<Json<'a>>,
}

/// A string, borrowed unless it has escapes.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    /// The string itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of a value of any type.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Json<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Json<'a> {
    /// The text itself.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0.get()
    }
}

/// The names and values of a file's information, in the order of the answer.
#[derive(Debug)]
pub struct FileInfo<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for FileInfo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Vec<(Text<'de>, Text<'de>)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Entries).map(FileInfo)
    }
}

fn not_empty<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    let text = Text::deserialize(deserializer)?;
    if text.as_str().is_empty() {
        return Err(D::Error::invalid_length(0, &"a text"));
    }
    Ok(text)
}

/// Tells `null` from a field that is not there.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Json<'a>>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// Read an answer.
///
/// `None` for whatever is not as the documentation has it, although it may be good JSON: fields
/// of another type or twice, numbers that are too large, halves of surrogate pairs.
#[must_use]
pub fn read_page(content: &[u8]) -> Option<Page<'_>> {
    // Checked at once, and not string by string.
    let text = std::str::from_utf8(content).ok()?;
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::read_page;

    const VERSION: &str = r#"{"accountId":"a","action":"upload","bucketId":"b","contentLength":5,
        "contentSha1":"none","contentType":"text/plain","fileId":"4_z","fileName":"caf\u00e9",
        "fileInfo":{"k":"v","k2":"\n"},"legalHold":null,"uploadTimestamp":7,"new":[1e3,{}]}"#;

    fn page_of(version: &str) -> String {
        format!(r#"{{"files":[{version}],"nextFileName":null,"nextFileId":null}}"#)
    }

    #[test]
    fn a_version_is_read() {
        let text = page_of(VERSION);
        let page = read_page(text.as_bytes()).unwrap();
        assert!(page.next_file_name.is_none());
        let version = &page.files[0];
        assert_eq!(version.file_name.as_str(), "café");
        assert_eq!(version.content_length, 5);
        assert_eq!(version.upload_timestamp, Some(7));
        assert!(version.content_md5.is_none());
        let info = &version.file_info.as_ref().unwrap().0;
        assert_eq!((info[1].0.as_str(), info[1].1.as_str()), ("k2", "\n"));
        assert_eq!(version.legal_hold.unwrap().as_str(), "null");
        assert!(version.file_retention.is_none());
    }

    #[test]
    fn a_size_is_read() {
        let text = page_of(&VERSION.replace("contentLength", "size"));
        assert_eq!(
            read_page(text.as_bytes()).unwrap().files[0].content_length,
            5
        );
    }

    #[test]
    fn what_is_not_as_documented_is_refused() {
        for (found, replacement) in [
            ("\"contentLength\":5", "\"contentLength\":5,\"size\":5"),
            ("\"contentLength\":5", "\"contentLength\":null"),
            ("\"contentLength\":5", "\"contentLength\":5e0"),
            (
                "\"contentLength\":5",
                "\"contentLength\":9223372036854775808",
            ),
            ("\"upload\"", "\"\""),
            ("\"k\":\"v\"", "\"k\":1"),
            ("\"fileName\":\"caf\\u00e9\",", ""),
            ("caf\\u00e9", "\\ud800"),
            ("1e3", "NaN"),
        ] {
            assert!(VERSION.contains(found), "{found}");
            let text = page_of(&VERSION.replacen(found, replacement, 1));
            assert!(read_page(text.as_bytes()).is_none(), "{replacement}");
        }
        assert!(read_page(br#"{"files":[]}"#).is_none());
        assert!(read_page(b"{\"files\":[],\"nextFileName\":\"\xff\"}").is_none());
        assert!(read_page(br#"{"files":[],"nextFileName":null} x"#).is_none());
    }
}
