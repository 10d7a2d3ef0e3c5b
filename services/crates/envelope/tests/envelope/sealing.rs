//! Sealing and opening.

use rovuma_envelope::{OpenFault, SealingKey, SealingRecipient, open, seal};

#[test]
fn only_the_recipients_key_opens() {
    let (own, old, other) = (SealingKey::generate(), SealingKey::generate(), SealingKey::generate());
    let sealed = seal(b"a secret", own.recipient()).expect("seals");
    assert_eq!(open(&sealed, &[&own], 100).expect("opens"), b"a secret");
    assert_eq!(open(&sealed, &[&old, &other, &own], 100).expect("opens"), b"a secret");
    assert!(matches!(open(&sealed, &[&old, &other], 100), Err(OpenFault::NotForUs { keys: 2 })));
    assert!(matches!(open(&sealed, &[], 100), Err(OpenFault::NotForUs { keys: 0 })));
    assert!(!sealed.windows(8).any(|window| window == b"a secret"));
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let own = SealingKey::generate();
    assert_ne!(
        seal(b"same", own.recipient()).expect("seals"),
        seal(b"same", own.recipient()).expect("seals")
    );
}

#[test]
fn the_limit_is_exact() {
    let own = SealingKey::generate();
    for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let sealed = seal(&vec![7; size], own.recipient()).expect("seals");
        assert_eq!(open(&sealed, &[&own], size).expect("fits").len(), size);
        if size > 0 {
            assert!(matches!(open(&sealed, &[&own], size - 1), Err(OpenFault::TooLarge { .. })), "{size}");
        }
    }
    let large = seal(&vec![0; 1_000_000], own.recipient()).expect("seals");
    assert!(matches!(open(&large, &[&own], 1000), Err(OpenFault::TooLarge { .. })));
}

#[test]
fn cut_or_lengthened_or_reordered_bytes_are_refused() {
    let own = SealingKey::generate();
    let plain: Vec<u8> = (0..=255).cycle().take(150_000).collect();
    let sealed = seal(&plain, own.recipient()).expect("seals");
    for length in [0, 10, 100, 200, sealed.len() - 65_552, sealed.len() - 1] {
        assert!(open(&sealed[..length], &[&own], 1_000_000).is_err(), "cut to {length}");
    }
    assert!(open(&[&sealed[..], b"x"].concat(), &[&own], 1_000_000).is_err());
    let chunks = sealed.len() - 150_000 - 3 * 16;
    let mut swapped = sealed[..chunks].to_vec();
    swapped.extend(&sealed[chunks + 65_552..chunks + 2 * 65_552]);
    swapped.extend(&sealed[chunks..chunks + 65_552]);
    swapped.extend(&sealed[chunks + 2 * 65_552..]);
    assert_eq!(swapped.len(), sealed.len());
    assert!(open(&swapped, &[&own], 1_000_000).is_err());
}

#[test]
fn what_is_not_age_is_refused() {
    let own = SealingKey::generate();
    let long_header = format!("age-encryption.org/v1\n{}--- AAAA\n", "-> X25519 AAAA\nAAAA\n".repeat(1000));
    let other_version = b"age-encryption.org/v2\n-> X25519 AAAA\nAAAA\n--- AAAA\n";
    for bad in
        [b"".as_slice(), b"{}", b"age-encryption.org/v1\n", other_version, long_header.as_bytes(), &[0; 500]]
    {
        assert!(matches!(open(bad, &[&own], 1_000_000), Err(OpenFault::Broken(_))), "{} bytes", bad.len());
    }
}

/// Each stanza costs its reader a multiplication; an honest file has one.
#[test]
fn a_file_sealed_to_a_crowd_is_refused() {
    use std::io::Write;
    let own = SealingKey::generate();
    let sealed_with = |others: usize| {
        let mut crowd: Vec<_> = (0..others).map(|_| age::x25519::Identity::generate().to_public()).collect();
        crowd.push(own.recipient().to_string().parse().expect("a recipient"));
        let recipients = crowd.iter().map(|recipient| recipient as &dyn age::Recipient);
        let mut sealed = Vec::new();
        let encryptor = age::Encryptor::with_recipients(recipients).expect("recipients");
        let mut writer = encryptor.wrap_output(&mut sealed).expect("writes");
        writer.write_all(b"x").expect("writes");
        writer.finish().expect("writes");
        sealed
    };
    assert_eq!(open(&sealed_with(3), &[&own], 100_000).expect("opens"), b"x");
    assert!(matches!(open(&sealed_with(100), &[&own], 100_000), Err(OpenFault::Broken(_))));
}

#[test]
fn a_key_file_holds_exactly_one_identity() {
    let own = SealingKey::generate();
    let text = own.to_text();
    assert_eq!(SealingKey::from_text(&text).expect("reads back").recipient(), own.recipient());
    let key = text.lines().last().expect("the key's line");
    assert!(SealingKey::from_text(&format!("# created: 2026\n\n  {key}  \n")).is_ok());
    for bad in [
        "",
        "# nothing\n",
        &format!("{key}\n{key}\n"),
        &key.to_lowercase()[..40],
        &key.replace("AGE-SECRET-KEY-1", "AGE-PLUGIN-YUBIKEY-1"),
        &own.recipient().to_string(),
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ] {
        assert!(SealingKey::from_text(bad).is_err(), "taken");
    }
}

#[test]
fn a_recipient_reads_back_and_nothing_else_does() {
    let own = SealingKey::generate().recipient().clone();
    let text = own.to_string();
    assert_eq!(text.parse::<SealingRecipient>().expect("reads back"), own);
    let mut typo = text.clone().into_bytes();
    typo[20] = if typo[20] == b'q' { b'p' } else { b'q' };
    let typo = String::from_utf8(typo).expect("ASCII");
    for bad in ["", "age1", &typo, &text[..60], &text.replace("age1", "bge1"), &format!("{text} ")] {
        assert!(bad.parse::<SealingRecipient>().is_err(), "{bad:?} was taken");
    }
}

/// Points of low order give every sender the same secret, and make `age` panic.
#[test]
fn recipients_of_low_order_are_refused() {
    for bad in [
        // The u-coordinates 0, 1, p-1, p, p+1, the two of order 8, and 0 with the unused top bit set.
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
        "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
        "age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m",
        "age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy",
        "age1amlllllllllllllllllllllllllllllllllllllllllllllllalselrwrv",
        "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
        "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8",
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzqqsuwj9m",
    ] {
        let fault = bad.parse::<SealingRecipient>().expect_err("refused").to_string();
        assert!(fault.contains("low order"), "{bad}: {fault}");
    }
}
