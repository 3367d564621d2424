//! The running system against its own description, by schemathesis: no server error, and no answer that the description does not have. Run by
//! `./dev test`, which installs schemathesis.

use frontdesk_core::auth::Passwords;
use system_tests::{ORDER_MANAGER, OWNER, Plan, TestStack};
use tokio::process::Command;

/// Examples per operation and phase.
const EXAMPLES: &str = "10";
/// What a run looks at.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Routes that end the session in use, or are no plain request and answer.
const LEFT_OUT: &str = "^/(auth/(logout|sessions.*|password|forgot|confirm/send)|events|webhook/.*)$";

#[expect(clippy::disallowed_methods, clippy::expect_used, reason = "starts the program that looks, and says how to get it")]
async fn agrees(stack: &TestStack, who: &str, token: Option<&str>, left_out: &str) {
    let program = std::env::vars().find(|(name, _)| name == "FRONTDESK_SCHEMATHESIS").map(|(_, program)| program);
    let mut run = Command::new(program.expect("FRONTDESK_SCHEMATHESIS names the program; ./dev test sets it"));
    run.arg("run").arg(format!("{}/openapi.json", stack.base_url)).args([
        "--checks",
        CHECKS,
        "--max-examples",
        EXAMPLES,
        "--generation-deterministic",
    ]);
    run.args(["--exclude-path-regex", left_out, "--phases", "coverage,fuzzing", "--workers", "1", "--request-timeout", "30"]);
    run.args(["--continue-on-failure", "--no-color", "--warnings", "off"]);
    if let Some(token) = token {
        run.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = run.current_dir(std::env::temp_dir()).output().await.unwrap();
    assert!(output.status.success(), "as {who}:\n{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis; ./dev test installs it and runs this"]
async fn the_running_system_is_as_it_is_described() {
    let stack = TestStack::planned(Plan::default().with("API_REQUESTS_PER_MINUTE", "1000000")).await.unwrap();
    let hash = Passwords::with_cost(4).unwrap().hash("the-admin-password".to_owned().into()).await.unwrap();
    let look = stack.database.look().await.unwrap();
    look.execute("INSERT INTO admins (email, password_hash) VALUES ('root@frontdesk.example', $1)", &[&hash]).await.unwrap();
    let admin = stack.log_in(("root@frontdesk.example", "the-admin-password")).await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let customer = stack.customer(system_tests::WHATSAPP, "491760000001");
    customer.says("do you have red sneakers in 42?").unwrap();
    customer.hears_answer().await.unwrap();
    agrees(&stack, "owner", Some(&owner.token), LEFT_OUT).await;
    agrees(&stack, "order manager", Some(&manager.token), LEFT_OUT).await;
    agrees(&stack, "administrator", Some(&admin.token), LEFT_OUT).await;
    agrees(&stack, "nobody", None, "^/(events|webhook/.*)$").await;
    stack.stop().await.unwrap();
}
