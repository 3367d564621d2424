//! The mail server, with a real client.

use frontdesk_sandbox::faults::{SmtpFailure, SmtpFaults};
use lettre::message::MultiPart;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::bench::*;

fn transport(bench: &Bench) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(&bench.sandbox.smtp_url())
        .unwrap()
        .credentials(Credentials::new("shop".into(), "secret".into()))
        .build()
}

fn message(subject: &str) -> Message {
    Message::builder()
        .from("Frontdesk <desk@frontdesk.example>".parse().unwrap())
        .to("Élodie <owner@northwind.example>".parse().unwrap())
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(
            "Un client demande une personne.\n.\nFin".to_owned(),
            "<p>Un client <b>attend</b></p>".to_owned(),
        ))
        .unwrap()
}

#[tokio::test]
async fn mail_with_accents_and_a_lone_dot_arrives_as_it_was_written() {
    let bench = Bench::new().await;
    transport(&bench).send(message("À l'aide: Élodie 👟")).await.unwrap();
    let mails = bench.sandbox.state().wait_for_mails(1, LONG, |_| true).await;
    let mail = &mails[0];
    assert_eq!(mail.subject, "À l'aide: Élodie 👟");
    assert_eq!(
        (mail.envelope_from.as_str(), mail.envelope_to.as_slice()),
        ("desk@frontdesk.example", &["owner@northwind.example".to_owned()][..])
    );
    assert_eq!(mail.text.replace("\r\n", "\n").trim_end(), "Un client demande une personne.\n.\nFin");
    assert!(mail.html.as_deref().unwrap().contains("<b>attend</b>"));
    let page = bench.client.get(bench.url("/mail")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("À l'aide: Élodie"), "{page}");
    let list: serde_json::Value = bench.client.get(bench.url("/mail.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list[0]["subject"], "À l'aide: Élodie 👟");
}

#[tokio::test]
async fn mail_text_cannot_become_markup_on_the_page() {
    let bench = Bench::new().await;
    transport(&bench).send(message("<script>alert(1)</script>")).await.unwrap();
    let page = bench.client.get(bench.url("/mail")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"));
}

#[tokio::test]
async fn mail_server_fails_on_command_and_recovers() {
    let bench = Bench::new().await;
    let fail = |failure| bench.sandbox.state().faults(|f| f.smtp = SmtpFaults { failure: Some(failure), times: Some(1) });
    fail(SmtpFailure::Temporary);
    assert!(transport(&bench).send(message("1")).await.unwrap_err().is_transient());
    fail(SmtpFailure::Reject);
    assert!(transport(&bench).send(message("2")).await.unwrap_err().is_permanent());
    fail(SmtpFailure::Refuse);
    assert!(transport(&bench).send(message("3")).await.is_err());
    transport(&bench).send(message("4")).await.unwrap();
    let subjects: Vec<String> = bench.sandbox.state().mails().into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["4"]);
}
