//! Content on its way out, with and without faults.

use crate::support::{Client, Shelf, pattern, shelf_server};
use b2fast_server::{ContentStore, Options, Response, Server};

/// Serves `bytes` from memory and from a file to `test`; the query says which fault to commit.
fn for_each_store(bytes: &[u8], test: impl Fn(&Server)) {
    let change = |query: &str, response: &mut Response| match query.split_once('=') {
        Some(("cut", after)) => response.cut_after = Some(after.parse().unwrap()),
        Some(("flip", offset)) => response.flip_at = Some(offset.parse().unwrap()),
        _ => (),
    };
    let directory = tempfile::tempdir().unwrap();
    let in_directory = ContentStore::below(directory.path()).unwrap();
    for store in [ContentStore::default(), in_directory] {
        let options = Options {
            store,
            ..Options::default()
        };
        let (server, _shelf): (Server, Shelf) = shelf_server(&options, change);
        let upload = Client::new(&server).request("POST", "/b2_upload_file/name", "", bytes);
        assert_eq!(upload.status, 200);
        test(&server);
    }
}

#[test]
fn slices_and_concatenations_are_sent() {
    let bytes = pattern(3_000_000);
    for_each_store(&bytes, |server| {
        assert!(Client::new(server).get("/file/name").body == bytes);
    });

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
fn a_cut_answer_announces_what_it_does_not_send() {
    let bytes = pattern(3_000_000);
    for_each_store(&bytes, |server| {
        for cut in [1, 1000, 600_000, 1 << 20, 2_999_999] {
            let mut client = Client::new(server);
            client.send(format!("GET /file/name?cut={cut} HTTP/1.1\r\n\r\n"));
            assert_eq!(client.head().unwrap().announced(), bytes.len());
            let received = client.rest();
            assert_eq!(received.len(), cut);
            assert!(received == bytes[..cut]);
        }
    });
}

#[test]
fn an_answer_cut_at_once_is_lost() {
    for_each_store(b"abc", |server| {
        let mut client = Client::new(server);
        client.send("GET /file/name?cut=0 HTTP/1.1\r\n\r\n");
        assert!(client.rest().is_empty());
    });
}

#[test]
fn an_answer_cut_behind_its_end_is_whole_and_the_last() {
    for_each_store(b"abc", |server| {
        for cut in [3, 4] {
            let mut client = Client::new(server);
            assert_eq!(client.get(&format!("/file/name?cut={cut}")).text(), "abc");
            assert!(client.rest().is_empty());
        }
        let mut client = Client::new(server);
        assert_eq!(
            client
                .request("HEAD", "/file/name?cut=1", "", b"")
                .announced(),
            3
        );
        assert!(client.rest().is_empty());
    });
}

#[test]
fn one_byte_is_flipped_on_its_way_only() {
    let bytes = pattern(3_000_000);
    for_each_store(&bytes, |server| {
        let mut client = Client::new(server);
        for offset in [0, 700_000, 1 << 20, 2_999_999] {
            let mut expected = bytes.clone();
            expected[offset] = !expected[offset];
            assert!(client.get(&format!("/file/name?flip={offset}")).body == expected);
            assert!(client.get("/file/name").body == bytes);
        }
        assert!(client.get("/file/name?flip=3000000").body == bytes);
    });
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
