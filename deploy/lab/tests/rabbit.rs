//! A private node of the real RabbitMQ: starts, keeps its data, stops, and leaves nothing behind.

use std::{
    net::{Ipv4Addr, TcpStream},
    path::Path,
};

use rovuma_lab::ports::BLOCK;
use rovuma_lab::rabbit::{RabbitNode, RabbitOptions};
use serde_json::json;

fn alive(pids: &[u32]) -> bool {
    pids.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists())
}

#[tokio::test]
async fn a_node_keeps_its_data_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = RabbitOptions::new("lab");
    let mut node = RabbitNode::start(folder.path(), options.clone(), |_| {}).await.expect("started");
    let first_pids = node.pids();
    let queue = json!({ "durable": true, "arguments": { "x-queue-type": "quorum" } });
    node.management().put("/queues/rovuma/kept", &queue).await.expect("declared");

    node.kill();
    assert!(!alive(&first_pids), "a killed node is still there");
    node.restart(|_| {}).await.expect("started again");
    node.management().get("/queues/rovuma/kept").await.expect("kept through a kill");

    node.stop().await;
    let port = node.ports().base();
    drop(node);
    let again = RabbitNode::start(folder.path(), options, |_| {}).await.expect("started from its folder");
    assert_eq!(again.ports().base(), port, "other ports than the last time");
    again.management().get("/queues/rovuma/kept").await.expect("kept through a stop");

    let pids = again.pids();
    drop(again);
    assert!(!alive(&pids), "a dropped node is still there");
}

#[tokio::test]
async fn a_node_listens_on_loopback_only_and_has_no_guest() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = RabbitNode::start(folder.path(), RabbitOptions::new("loop"), |_| {}).await.expect("started");
    let listeners = node.management().get("/overview").await.expect("an overview")["listeners"].clone();
    let listeners = listeners.as_array().expect("a list").clone();
    assert!(listeners.iter().all(|listener| listener["protocol"] != "amqp"), "clear text: {listeners:?}");
    // A program that listens on all addresses answers on 127.0.0.2 too.
    for place in 0..BLOCK {
        let port = node.ports().port(place).expect("within the block");
        let reached = TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port));
        assert!(reached.is_err(), "port {port} listens on more than 127.0.0.1");
    }
    let users = node.management().get("/users").await.expect("users");
    let names: Vec<_> = users.as_array().expect("a list").iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, [json!("admin")]);
}
