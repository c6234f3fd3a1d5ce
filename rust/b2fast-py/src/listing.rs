//! `b2fast._core.listing`.

use b2fast_core::listing::{self, FileVersion, Json, Text};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyType};

/// How many different values of a field are shared among the versions of a page.
const MOST_SHARED: usize = 16;
const UNVERIFIED: &str = "unverified:";
const MODIFIED: &str = "src_last_modified_millis";
/// An `i64` holds any number of so many digits.
const MOST_DIGITS: usize = 18;

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(read_page, module)?)?;
    Ok(())
}

/// Read an answer of `b2_list_file_versions` or `b2_list_file_names`.
///
/// Returns the answer with versions in the place of the objects in `files`. None if there is
/// anything in it that is not as B2 documents it, or if `setting_of` raises an `Exception`: what
/// reads every JSON has to tell then what is the matter.
///
/// `version_class` is `FileVersion`, whose attributes are set without a call of `__init__`; `api`
/// is that of the versions. `setting_of` is called with the name of a field that holds a setting,
/// its JSON (None if it is missing), the action and the file info; it returns the value, and
/// whether that also is the value of other versions of the action with the same JSON.
#[pyfunction]
#[pyo3(signature = (content, version_class, api, setting_of))]
fn read_page<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyBytes>,
    version_class: Bound<'py, PyType>,
    api: Bound<'py, PyAny>,
    setting_of: Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let bytes = content.as_bytes();
    let Some(page) = py.detach(|| listing::read_page(bytes)) else {
        return Ok(None);
    };
    let mut maker = Maker::new(py, version_class, api, setting_of)?;
    let versions = PyList::empty(py);
    for version in &page.files {
        match maker.make(version) {
            Ok(made) => versions.append(made)?,
            Err(error) if error.is_instance_of::<PyException>(py) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let answer = PyDict::new(py);
    answer.set_item("files", versions)?;
    for (field, text) in [
        ("nextFileName", &page.next_file_name),
        ("nextFileId", &page.next_file_id),
    ] {
        answer.set_item(field, text.as_ref().map(Text::as_str))?;
    }
    Ok(Some(answer))
}

/// Makes the objects of one page.
struct Maker<'py> {
    py: Python<'py>,
    new: Bound<'py, PyAny>,
    version_class: Bound<'py, PyType>,
    api: Bound<'py, PyAny>,
    setting_of: Bound<'py, PyAny>,
    accounts: Shared<'py>,
    actions: Shared<'py>,
    buckets: Shared<'py>,
    content_types: Shared<'py>,
    info_names: Shared<'py>,
    encryption: Shared<'py>,
    retention: Shared<'py>,
    hold: Shared<'py>,
    replication: Shared<'py>,
}

impl<'py> Maker<'py> {
    fn new(
        py: Python<'py>,
        version_class: Bound<'py, PyType>,
        api: Bound<'py, PyAny>,
        setting_of: Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            py,
            new: version_class.getattr("__new__")?,
            version_class,
            api,
            setting_of,
            accounts: Shared::default(),
            actions: Shared::default(),
            buckets: Shared::default(),
            content_types: Shared::default(),
            info_names: Shared::default(),
            encryption: Shared::default(),
            retention: Shared::default(),
            hold: Shared::default(),
            replication: Shared::default(),
        })
    }

    fn make(&mut self, version: &FileVersion<'_>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let action = self.actions.text(py, version.action.as_str());
        let (info, modified) = self.info(version)?;
        let made = self.new.call1((&self.version_class,))?;

        let sha1 = version.content_sha1.as_ref().map(Text::as_str);
        let claimed = sha1.and_then(|sha1| sha1.strip_prefix(UNVERIFIED));
        let content_type = version
            .content_type
            .as_ref()
            .map(|text| self.content_types.text(py, text.as_str()));
        made.setattr(intern!(py, "api"), &self.api)?;
        made.setattr(intern!(py, "id_"), version.file_id.as_str())?;
        made.setattr(intern!(py, "file_name"), version.file_name.as_str())?;
        made.setattr(intern!(py, "size"), version.content_length)?;
        made.setattr(intern!(py, "content_type"), content_type)?;
        made.setattr(intern!(py, "content_sha1"), claimed.or(sha1))?;
        made.setattr(intern!(py, "content_sha1_verified"), claimed.is_none())?;
        made.setattr(
            intern!(py, "content_md5"),
            version.content_md5.as_ref().map(Text::as_str),
        )?;
        made.setattr(
            intern!(py, "account_id"),
            self.accounts.text(py, version.account_id.as_str()),
        )?;
        made.setattr(
            intern!(py, "bucket_id"),
            self.buckets.text(py, version.bucket_id.as_str()),
        )?;

        for (shared, attribute, field, json) in [
            (
                &mut self.encryption,
                intern!(py, "server_side_encryption"),
                intern!(py, "serverSideEncryption"),
                version.server_side_encryption,
            ),
            (
                &mut self.retention,
                intern!(py, "file_retention"),
                intern!(py, "fileRetention"),
                version.file_retention,
            ),
            (
                &mut self.hold,
                intern!(py, "legal_hold"),
                intern!(py, "legalHold"),
                version.legal_hold,
            ),
            (
                &mut self.replication,
                intern!(py, "replication_status"),
                intern!(py, "replicationStatus"),
                version.replication_status,
            ),
        ] {
            let json = json.map(Json::as_str);
            let setting = shared.setting(json, version.action.as_str(), || {
                self.setting_of
                    .call1((field, json, &action, &info))?
                    .extract()
            })?;
            made.setattr(attribute, setting)?;
        }
        made.setattr(intern!(py, "action"), action)?;
        made.setattr(intern!(py, "file_info"), info)?;
        let uploaded = version.upload_timestamp.map(|time| PyInt::new(py, time));
        made.setattr(intern!(py, "upload_timestamp"), &uploaded)?;
        let modified = match modified {
            Modified::Unknown => uploaded.into_pyobject(py)?,
            Modified::At(time) => PyInt::new(py, time).into_any(),
            Modified::Unusual => made.call_method0(intern!(py, "_mod_time_millis"))?,
        };
        made.setattr(intern!(py, "mod_time_millis"), modified)?;
        Ok(made)
    }

    fn info(&mut self, version: &FileVersion<'_>) -> PyResult<(Bound<'py, PyDict>, Modified)> {
        let info = PyDict::new(self.py);
        let mut modified = Modified::Unknown;
        for (name, value) in version.file_info.iter().flat_map(|info| &info.0) {
            let (name, value) = (name.as_str(), value.as_str());
            if name == MODIFIED {
                modified = Modified::of(value);
            }
            info.set_item(self.info_names.text(self.py, name), value)?;
        }
        Ok((info, modified))
    }
}

/// When the file info says that the source was modified.
enum Modified {
    Unknown,
    At(i64),
    /// Not only digits; Python tells what it is.
    Unusual,
}

impl Modified {
    fn of(value: &str) -> Self {
        if value.len() > MOST_DIGITS || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::Unusual;
        }
        value.parse().map_or(Self::Unusual, Self::At)
    }
}

/// Objects that more than one version has.
#[derive(Default)]
struct Shared<'py>(Vec<(Option<String>, String, Bound<'py, PyAny>)>);

impl<'py> Shared<'py> {
    fn text(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyAny> {
        if let Some((_, _, object)) = self.0.iter().find(|(_, known, _)| known == text) {
            return object.clone();
        }
        let object = PyString::new(py, text).into_any();
        if self.0.len() < MOST_SHARED {
            self.0.push((None, text.to_owned(), object.clone()));
        }
        object
    }

    /// The value of a setting: the known one of the same JSON and action, or a new one.
    ///
    /// `make` also tells whether others may have the value too.
    fn setting(
        &mut self,
        json: Option<&str>,
        action: &str,
        make: impl FnOnce() -> PyResult<(Bound<'py, PyAny>, bool)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some((_, _, object)) = self
            .0
            .iter()
            .find(|(known, of, _)| known.as_deref() == json && of == action)
        {
            return Ok(object.clone());
        }
        let (object, is_shared) = make()?;
        if is_shared && self.0.len() < MOST_SHARED {
            self.0
                .push((json.map(str::to_owned), action.to_owned(), object.clone()));
        }
        Ok(object)
    }
}
