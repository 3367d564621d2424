//! Files that customers send are kept and shown to those who may see them; pictures of products are everybody's.

use frontdesk_sandbox::Inbound;
use frontdesk_sandbox::faults::{MediaFailure, MediaFaults};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::{ACCOUNTANT, Api, INSTAGRAM, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack, WHATSAPP, until};

const NUMBER: &str = "491750000077";

fn image() -> Inbound {
    Inbound::Image { caption: Some("do you have red sneakers like this?".to_owned()) }
}

fn fail(stack: &TestStack, failure: MediaFailure, times: Option<u32>) {
    stack.sandbox.state().faults(|f| f.media = MediaFaults { failure: Some(failure), times });
}

/// The only file of the only conversation with one, once it is in this state.
async fn file(stack: &TestStack, owner: &Api<'_>, state: &str) -> Value {
    until(&format!("a file is {state}"), async || {
        let look = stack.database.look().await?;
        let Some(row) = look.query_opt("SELECT m.conversation_id FROM media f JOIN messages m ON m.id = f.message_id", &[]).await? else {
            return Ok(None);
        };
        let thread = owner.get(&format!("/conversations/{}/messages", row.get::<_, i64>(0)), 200).await?;
        let files =
            thread["items"].as_array().into_iter().flatten().flat_map(|message| message["media"].as_array().cloned().unwrap_or_default());
        Ok(files.into_iter().find(|file| file["state"] == state))
    })
    .await
    .unwrap()
}

async fn read(stack: &TestStack, api: &Api<'_>, path: &str, etag: Option<&str>) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let mut request = stack.http.get(format!("{}{path}", stack.base_url));
    if !api.token.is_empty() {
        request = request.bearer_auth(&api.token);
    }
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

/// Files below the directory where this stack keeps them.
fn kept(stack: &TestStack) -> usize {
    fn count(directory: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    count(stack.media.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_and_read_by_those_who_read_the_conversation_and_forgotten_with_its_customer() {
    let stack = TestStack::start().await.unwrap();
    let (owner, other) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    stack.sandbox.state().faults(|f| f.webhooks.duplicates = 2);
    stack.customer(WHATSAPP, NUMBER).sends(&image()).unwrap();
    let file = file(&stack, &owner, "kept").await;
    assert_eq!((&file["kind"], &file["mime_type"]), (&json!("image"), &json!("image/png")));
    let path = file["url"].as_str().unwrap();

    let (status, headers, bytes) = read(&stack, &owner, path, None).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap(), file["size"].as_u64()), (200, "image/png", Some(bytes.len() as u64)));
    assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(headers["cache-control"], "private, no-cache");
    let etag = headers["etag"].to_str().unwrap();
    assert_eq!(etag, format!("\"{}\"", hex::encode(Sha256::digest(&bytes))));
    assert!(bytes.starts_with(b"\x89PNG"));
    assert_eq!(read(&stack, &owner, path, Some(etag)).await.0, 304);
    assert_eq!(read(&stack, &stack.log_in(ORDER_MANAGER).await.unwrap(), path, None).await.2, bytes);

    assert_eq!(read(&stack, &stack.log_in(ACCOUNTANT).await.unwrap(), path, None).await.0, 403);
    assert_eq!(read(&stack, &stack.nobody(), path, None).await.0, 401);
    let (theirs, missing) = (read(&stack, &other, path, None).await, read(&stack, &other, "/media/999999", None).await);
    assert_eq!((theirs.0, &theirs.2), (404, &missing.2), "another shop's file is not there");
    assert_eq!(read(&stack, &other, path, Some(etag)).await.0, 404, "nor does its hash tell");

    until("the duplicates are in", async || Ok((stack.sandbox.state().deliveries().len() >= 3).then_some(()))).await.unwrap();
    stack.quiet().await.unwrap();
    assert_eq!((stack.sandbox.state().media_downloads(), kept(&stack)), (1, 1), "fetched once");

    let customer = stack.count(&format!("SELECT customer_id FROM customer_aliases WHERE value = '{NUMBER}'")).await.unwrap();
    let export = owner.get(&format!("/customers/{customer}/export"), 200).await.unwrap();
    assert_eq!(export["files"][0]["url"], path);
    owner.delete(&format!("/customers/{customer}"), 204).await.unwrap();
    until("the file is removed", async || Ok((kept(&stack) == 0).then_some(()))).await.unwrap();
    assert_eq!(read(&stack, &owner, path, None).await.0, 404);
    assert_eq!(stack.count("SELECT count(*) FROM media").await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_asked_for_again_until_it_comes_whole() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    fail(&stack, MediaFailure::WrongBytes, Some(2));
    stack.customer(WHATSAPP, NUMBER).sends(&Inbound::Document).unwrap();
    let file = file(&stack, &owner, "kept").await;
    assert_eq!((&file["mime_type"], &file["file_name"]), (&json!("application/pdf"), &json!("note.pdf")));
    assert_eq!(stack.sandbox.state().media_downloads(), 3);
    let (_, headers, bytes) = read(&stack, &owner, file["url"].as_str().unwrap(), None).await;
    assert!(bytes.starts_with(b"%PDF-"));
    assert_eq!(headers["content-disposition"], "attachment; filename*=UTF-8''note.pdf");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_or_too_large_is_said_to_be() {
    for (account, id, failure, state) in [
        (WHATSAPP, NUMBER, MediaFailure::Gone, "gone"),
        (INSTAGRAM, "7788990011223344", MediaFailure::Gone, "gone"),
        (WHATSAPP, NUMBER, MediaFailure::Oversized, "too_large"),
        (INSTAGRAM, "7788990011223344", MediaFailure::Oversized, "too_large"),
    ] {
        let stack = TestStack::start().await.unwrap();
        let owner = stack.log_in(OWNER).await.unwrap();
        fail(&stack, failure, None);
        let customer = stack.customer(account, id);
        customer.sends(&Inbound::Audio).unwrap();
        // Whatever becomes of the file, the customer is answered.
        customer.hears().await.unwrap();
        let file = file(&stack, &owner, state).await;
        assert_eq!(file["url"], Value::Null);
        assert_eq!((read(&stack, &owner, &format!("/media/{}", file["id"]), None).await.0, kept(&stack)), (404, 0));
        stack.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_uploads_a_products_picture_for_everybody_to_see() {
    let stack = TestStack::start().await.unwrap();
    let (owner, nobody) = (stack.log_in(OWNER).await.unwrap(), stack.nobody());
    let product = owner.get("/products", 200).await.unwrap()["items"][0]["id"].clone();
    let upload = async |api: &Api<'_>, mime: &str, bytes: &[u8]| {
        let request = stack.http.post(format!("{}/products/{product}/image", stack.base_url)).bearer_auth(&api.token);
        let response = request.header("content-type", mime).body(bytes.to_vec()).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (first, second) = (b"\x89PNG\r\n\x1a\nfirst".as_slice(), b"\xff\xd8\xffsecond".as_slice());
    let (status, answer) = upload(&owner, "image/png", first).await;
    assert_eq!(status, 200, "{answer}");
    let path = answer["image_url"].as_str().unwrap().to_owned();
    let (status, headers, bytes) = read(&stack, &nobody, &path, None).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap(), bytes.as_slice()), (200, "image/png", first));

    for (mime, bytes) in [("image/png", second), ("image/svg+xml", b"<svg/>".as_slice()), ("image/png", b"".as_slice())] {
        assert_eq!(upload(&owner, mime, bytes).await.0, 415);
    }
    for user in [ORDER_MANAGER, ACCOUNTANT] {
        assert_eq!(upload(&stack.log_in(user).await.unwrap(), "image/png", first).await.0, 403);
    }
    assert_eq!(upload(&stack.log_in(OTHER_OWNER).await.unwrap(), "image/png", first).await.0, 404);

    let (status, answer) = upload(&owner, "image/jpeg", second).await;
    assert_eq!(status, 200);
    assert_eq!(read(&stack, &nobody, answer["image_url"].as_str().unwrap(), None).await.2, second);
    until("the former picture is removed", async || Ok((read(&stack, &nobody, &path, None).await.0 == 404).then_some(()))).await.unwrap();
    // Sizes show the picture of the product that they were added to; it stays when that gets another.
    let shared = answer["image_url"].as_str().unwrap().to_owned();
    let sizes = json!({"options": {"size": "S"}, "variants": [{"options": {"size": "M"}, "stock": 3}]});
    owner.post(&format!("/products/{product}/variants"), &sizes, 201).await.unwrap();
    assert_eq!(upload(&owner, "image/png", first).await.0, 200);
    assert_eq!(read(&stack, &nobody, &shared, None).await.2, second);
    assert_eq!(read(&stack, &nobody, "/media/public/1-00000000000000000000000000000000.png", None).await.0, 404);
    stack.stop().await.unwrap();
}
