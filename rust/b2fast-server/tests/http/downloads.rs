//! Content on its way out.

use crate::support::{Client, pattern, shelf_server};
use b2fast_server::{ContentStore, Options};

#[test]
fn slices_and_concatenations_are_sent() {
    let bytes = pattern(3_000_000);
    let directory = tempfile::tempdir().unwrap();
    let in_directory = ContentStore::below(directory.path()).unwrap();
    for store in [ContentStore::default(), in_directory] {
        let options = Options {
            store,
            ..Options::default()
        };
        let (server, shelf) = shelf_server(&options, |_, _| ());
        let mut client = Client::new(&server);
        client.request("POST", "/b2_upload_part/1", "", &bytes);
        assert!(client.get("/file/1").body == bytes);
        client.request("POST", "/b2_upload_part/2", "", b"tail");
        {
            let mut shelf = shelf.lock().unwrap();
            let (one, two) = (shelf["1"].clone(), shelf["2"].clone());
            let whole = b2fast_server::Content::concat(&[one, two.clone(), two]);
            shelf.insert("range".to_owned(), whole.slice(1_234_567..3_000_006));
        }
        let expected = [&bytes[1_234_567..], b"tailta"].concat();
        assert!(client.get("/file/range").body == expected);
    }
}

#[test]
fn a_vanished_file_breaks_the_answer_instead_of_changing_it() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        store: ContentStore::below(directory.path()).unwrap(),
        ..Options::default()
    };
    let (server, _shelf) = shelf_server(&options, |_, _| ());
    let mut client = Client::new(&server);
    client.request("POST", "/b2_upload_file/name", "", b"abc");
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    client.send("GET /file/name HTTP/1.1\r\n\r\n");
    assert!(client.rest().is_empty());
}
