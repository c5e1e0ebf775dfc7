use super::*;

fn part(stack: &[&str]) -> Part {
    Part::of(&stack.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

#[test]
fn the_outermost_call_into_cryptography_decides() {
    let seal = "<mls_crypto_compose::suite::ComposedSuite as mls_crypto::provider::SuiteCrypto>::hpke_seal_many";
    let hash = "<mls_crypto_aws_lc::digest::Digest as mls_crypto_compose::primitives::HashFunction>::hash";
    let tree = "mls_engine::tree::hash::parent";
    assert_eq!(part(&["aws_lc_0_35_SHA256", hash, seal, "mls_engine::tree::path::seal"]), Part::Hpke);
    assert_eq!(part(&["aws_lc_0_35_SHA256", hash, tree]), Part::Hash);
    assert_eq!(part(&["malloc", hash, tree]), Part::Hash);
    let batch = "mls_crypto_rust::ed25519::batch::all_verify";
    assert_eq!(part(&["curve25519_dalek::backend::pippenger", batch, tree]), Part::Verify);
    let sign = "<mls_crypto_aws_lc::ed25519::Ed25519 as mls_crypto_compose::primitives::SignatureFunctions>::sign";
    assert_eq!(part(&["aws_lc_0_35_ED25519_sign", sign, tree]), Part::Sign);
}

#[test]
fn outside_of_it_the_innermost_function_does() {
    let decode = "<mls_engine::message::leaf_node::LeafNode as tls_codec::DeserializeBytes>::tls_deserialize_bytes";
    let tree = "mls_engine::tree::wire::build";
    assert_eq!(part(&["__memmove_avx512_unaligned_erms", decode, tree]), Part::Memory);
    assert_eq!(part(&[decode, tree]), Part::Codec);
    assert_eq!(part(&[tree, decode]), Part::Tree);
    assert_eq!(part(&["__clone3", "std::thread::scoped", tree]), Part::System);
    assert_eq!(part(&["who_knows"]), Part::Other);
    assert_eq!(part(&[]), Part::Other);
}
