//! Spans reach a collector under the trace of whoever caused them. A test program of its own: a process has one subscriber.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use frontdesk_core::config::{LogConfig, LogFormat};
use frontdesk_core::telemetry::{self, TraceParent};

#[test]
fn a_span_is_sent_under_the_trace_it_was_caused_by() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            let head = request.windows(4).position(|end| end == b"\r\n\r\n");
            if let (Some(length), Some(head)) = (length, head)
                && request.len() >= head + 4 + length
            {
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n").unwrap();
        request
    });

    let config = LogConfig { format: LogFormat::Json, filter: "info".to_owned(), otlp_endpoint: Some(endpoint) };
    let telemetry = telemetry::start("frontdesk-test", &config);
    let caller = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let span = tracing::info_span!("job", queue = "answer_customer");
    let here = caller.lead(&span);
    assert_eq!(here.trace_id(), caller.trace_id());
    assert_ne!(here, caller);
    drop(span);
    telemetry.flush();

    let request = received.join().unwrap();
    let holds = |bytes: &[u8]| request.windows(bytes.len()).any(|window| window == bytes);
    assert!(request.starts_with(b"POST /v1/traces "));
    assert!(holds(&0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()), "the caller's trace");
    assert!(holds(&0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()), "under the caller's span");
    assert!(holds(b"answer_customer") && holds(b"frontdesk-test"));
}
