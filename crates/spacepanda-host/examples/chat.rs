//! A small chat of three hosts in one process. `cargo run -p spacepanda-host --example chat` prints it; a test runs it too.

use std::{error::Error, sync::Arc};

use mls_crypto_aws_lc::AwsLc;
use mls_discovery::{DirectoryCrypto, Trust};
use spacepanda_core::core_mls::{
    Client,
    policy::IdentityCrypto,
    store::{MemoryStore, StateStore},
};
use spacepanda_host::{Host, HostEvent, Identity, MemoryHostStore, MemoryNetwork, PeerId, Recorder, StoredIdentity};

/// One host: what an application puts together when it starts.
struct Seat {
    host: Host,
    heard: Arc<Recorder>,
}

fn seat(network: &MemoryNetwork, name: &str) -> Result<Seat, Box<dyn Error>> {
    // An application that is to outlive its process takes `SqliteStore`, `SealedHostStore` and `DeliveryRouter` instead.
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let identity = StoredIdentity::open(name.as_bytes(), store.clone(), IdentityCrypto::new(&AwsLc::default())?)?;
    let client = Client::builder(&identity.own(), identity.policy()).store(store).open()?;
    let router = Arc::new(network.router(PeerId::new(name.as_bytes())));
    let records = Arc::new(MemoryHostStore::new(DirectoryCrypto::new(&AwsLc::default())?, Trust::nobody()));
    let heard = Arc::new(Recorder::new());
    Ok(Seat { host: Host::new(client, router, records, heard.clone()), heard })
}

/// Everybody reads until there is nothing left.
async fn settle(seats: &[&Seat]) -> Result<(), Box<dyn Error>> {
    loop {
        let mut came = 0_usize;
        for seat in seats {
            came = came.saturating_add(seat.host.receive().await?);
        }
        if came == 0 {
            return Ok(());
        }
    }
}

fn lines(seat: &Seat) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = seat.heard.take().into_iter().filter_map(|event| match event {
        HostEvent::Said { sender, text: said, .. } => Some(format!("{}: {}", text(&sender), text(&said))),
        HostEvent::Joined { .. } => Some("(joined)".to_owned()),
        HostEvent::Refused(error) => Some(format!("(refused: {error})")),
        _ => None,
    });
    told.collect()
}

/// The chat; what each of the three heard.
pub(crate) async fn chat() -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let network = MemoryNetwork::new();
    let (alice, bob, carol) = (seat(&network, "alice")?, seat(&network, "bob")?, seat(&network, "carol")?);
    let seats = [&alice, &bob, &carol];
    for seat in seats {
        for name in ["alice", "bob", "carol"] {
            seat.host.know(name.as_bytes(), PeerId::new(name.as_bytes()));
        }
    }
    let tea = alice.host.client().create_group(Some("tea"))?;
    // How key packages reach the inviter is up to the application: a delivery service has a place for them.
    alice.host.invite(&tea, b"bob", &bob.host.client().generate_key_package()?).await?;
    settle(&seats).await?;
    alice.host.invite(&tea, b"carol", &carol.host.client().generate_key_package()?).await?;
    settle(&seats).await?;
    alice.host.say(&tea, b"Tea is ready").await?;
    let at_bob = bob.host.client().group(&tea.group_id())?;
    bob.host.say(&at_bob, b"On my way").await?;
    settle(&seats).await?;
    let at_carol = carol.host.client().group(&tea.group_id())?;
    carol.host.say(&at_carol, "Milk, please".as_bytes()).await?;
    settle(&seats).await?;
    Ok(seats.into_iter().map(lines).collect())
}

/// Nothing here waits for anything but this process.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    for (name, heard) in ["alice", "bob", "carol"].into_iter().zip(block_on(chat())?) {
        println!("{name} hears:");
        for line in heard {
            println!("  {line}");
        }
    }
    Ok(())
}
