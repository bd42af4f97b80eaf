//! Flights of every kind, whole and in pieces, sound and hostile.

use super::*;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, length[1], length[2], length[3]], body].concat()
}

fn record_of(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], content].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(bytes.len()).unwrap().to_be_bytes()[..],
        bytes,
    ]
    .concat()
}

fn with_longer(bytes: &[u8]) -> Vec<u8> {
    [
        &u32::try_from(bytes.len()).unwrap().to_be_bytes()[1..],
        bytes,
    ]
    .concat()
}

/// A ServerHello; `extensions` are whole, without the length of all.
fn hello(version: u16, random: [u8; 32], suite: u16, extensions: Option<&[u8]>) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.extend([2, 0xAA, 0xBB]);
    body.extend(suite.to_be_bytes());
    body.push(1);
    body.extend(extensions.map(with_length).unwrap_or_default());
    message(2, &body)
}

fn read(bytes: &[u8]) -> (Result<Progress, FlightError>, Option<Flight>) {
    let mut reader = FlightReader::default();
    let progress = reader.receive(bytes);
    (progress, reader.into_flight())
}

/// A flight of TLS 1.2 with all six messages.
fn whole_flight() -> Vec<u8> {
    let extensions = [&[0, 23, 0, 0][..], &[0xFF, 0x01, 0, 1, 0]].concat();
    let certificate = with_longer(&[with_longer(b"leaf"), with_longer(b"issuer")].concat());
    let names = with_length(&with_length(b"name"));
    let request = [&[1, 1][..], &with_length(&[4, 1]), &names].concat();
    [
        hello(0x0303, [0; 32], 0xC030, Some(&extensions)),
        message(11, &certificate),
        message(22, &[1, 0, 0, 1, 0]),
        message(12, &[3, 0, 29, 1, 0]),
        message(13, &request),
        message(14, &[]),
    ]
    .concat()
}

fn wanted() -> Flight {
    Flight {
        version: 0x0303,
        suite: 0xC030,
        session: vec![0xAA, 0xBB],
        compression: 1,
        extensions: vec![23, 0xFF01],
        retry: false,
        group: Some(29),
        prime: None,
        chain: vec![b"leaf".to_vec(), b"issuer".to_vec()],
        stapled: true,
        asks: Some(vec![b"name".to_vec()]),
    }
}

#[test]
fn a_whole_flight_however_it_is_cut() {
    let messages = whole_flight();
    let one = record_of(22, &messages);
    assert_eq!(read(&one), (Ok(Progress::Done), Some(wanted())));
    // In records of three bytes, brought byte by byte.
    let small: Vec<u8> = messages
        .chunks(3)
        .flat_map(|part| record_of(22, part))
        .collect();
    let mut reader = FlightReader::default();
    let last = small
        .iter()
        .map(|byte| reader.receive(&[*byte]).unwrap())
        .last();
    assert_eq!(
        (last, reader.into_flight()),
        (Some(Progress::Done), Some(wanted()))
    );
}

#[test]
fn a_flight_that_breaks_off_tells_what_it_told() {
    let (progress, flight) = read(&record_of(22, &hello(0x0300, [1; 32], 0x0004, None)));
    assert_eq!(progress, Ok(Progress::More));
    let flight = flight.unwrap();
    assert_eq!((flight.version, flight.suite), (0x0300, 0x0004));
}

#[test]
fn a_retry_names_the_group() {
    let random = openssl::sha::sha256(b"HelloRetryRequest");
    assert_eq!(random, RETRY);
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0x11, 0xEC];
    let (progress, flight) = read(&record_of(
        22,
        &hello(0x0303, random, 0x1302, Some(&extensions)),
    ));
    assert_eq!(progress, Ok(Progress::Done));
    let flight = flight.unwrap();
    assert_eq!(
        (flight.version, flight.suite, flight.group),
        (0x0304, 0x1302, Some(0x11EC))
    );
    // A retry in an older version is nonsense.
    let old = record_of(
        22,
        &hello(0x0303, random, 0x1302, Some(&[0, 51, 0, 2, 0x11, 0xEC])),
    );
    assert_eq!(read(&old), (Err(FlightError::Broken), None));
}

#[test]
fn a_finite_field() {
    let exchange = [
        with_length(&[0xFF; 128]),
        with_length(&[2]),
        with_length(&[1; 128]),
    ]
    .concat();
    let flight = [hello(0x0301, [0; 32], 0x0033, None), message(12, &exchange)].concat();
    let (_, flight) = read(&record_of(22, &flight));
    assert_eq!(flight.unwrap().prime, Some(vec![0xFF; 128]));
}

#[test]
fn the_authorities_of_tls_1_1_come_without_signatures() {
    let request = [&[1, 1][..], &with_length(&with_length(b"name"))].concat();
    let flight = [hello(0x0302, [0; 32], 0x002F, None), message(13, &request)].concat();
    let (_, flight) = read(&record_of(22, &flight));
    assert_eq!(flight.unwrap().asks, Some(vec![b"name".to_vec()]));
}

#[test]
fn alerts() {
    for (content, progress) in [
        (&[2, 40][..], Progress::Alert(40)),
        (&[2, 70], Progress::Alert(70)),
        (&[1, 0], Progress::Alert(0)),
        // A warning is no end.
        (&[1, 112], Progress::More),
    ] {
        assert_eq!(read(&record_of(21, content)).0, Ok(progress), "{content:?}");
    }
    assert_eq!(read(&record_of(21, &[2])).0, Err(FlightError::Broken));
}

#[test]
fn what_is_no_tls() {
    for bytes in [
        &b"421 4.7.0 mx.example Error: too many connections\r\n"[..],
        b"4",
        b"\x16\x02\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0; 64],
        &[0x80, 0x1F, 4, 0, 1],
    ] {
        assert_eq!(read(bytes).0, Err(FlightError::NotTls), "{bytes:?}");
    }
}

#[test]
fn messages_that_contradict_themselves() {
    let broken = |messages: Vec<u8>| {
        assert_eq!(
            read(&record_of(22, &messages)).0,
            Err(FlightError::Broken),
            "{messages:?}"
        );
    };
    let sound = || hello(0x0303, [0; 32], 0xC030, None);
    broken(message(2, &[3, 3, 1]));
    broken(message(11, &[0, 0, 0]));
    broken(hello(0x0303, [0; 32], 0xC030, Some(&[0, 23, 0, 9])));
    broken([sound(), message(11, &[0, 0, 9, 0, 0, 7])].concat());
    broken([sound(), message(12, &[3])].concat());
    broken([sound(), message(13, &[9])].concat());
    assert_eq!(
        read(&record_of(23, &[1])).0,
        Err(FlightError::Broken),
        "data before a ServerHello"
    );
}

#[test]
fn endless_flights_end() {
    let mut reader = FlightReader::default();
    reader
        .receive(&record_of(22, &hello(0x0303, [0; 32], 0xC030, None)))
        .unwrap();
    // A certificate that is announced with 16 MiB, and comes.
    reader
        .receive(&record_of(22, &[11, 0xFF, 0xFF, 0xFF]))
        .unwrap_err();
    let mut reader = FlightReader::default();
    let warning = record_of(21, &[1, 112]);
    let ended = (0..100_000).find_map(|_| reader.receive(&warning).err());
    assert_eq!(ended, Some(FlightError::TooLong));
}

#[test]
fn a_hundred_certificates_are_enough() {
    let many: Vec<u8> = (0..1000).flat_map(|_| with_longer(b"c")).collect();
    let flight = [
        hello(0x0303, [0; 32], 0x002F, None),
        message(11, &with_longer(&many)),
    ]
    .concat();
    let (_, flight) = read(&record_of(22, &flight));
    assert_eq!(flight.unwrap().chain.len(), 100);
}
