//! Facts of RFC 9180, Appendix A: receiver keys, the first ciphertext and the exported values, in hexadecimal.

use mls_crypto::CipherSuite;

use super::Vector;

/// Base and PSK mode of the cipher suites that MLS shares with the appendix.
pub(super) const VECTORS: [Vector; 8] = [
    Vector {
        section: "A.1.1",
        cipher_suite: CipherSuite::X25519_AES128,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        public_key: "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        private_key: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        psk: None,
        kem_output: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        exports: [
            ("", "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"),
            ("00", "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"),
            ("54657374436f6e74657874", "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"),
        ],
    },
    Vector {
        section: "A.1.2",
        cipher_suite: CipherSuite::X25519_AES128,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "d4a09d09f575fef425905d2ab396c1449141463f698f8efdb7accfaff8995098",
        public_key: "9fed7e8c17387560e92cc6462a68049657246a09bfa8ade7aefe589672016366",
        private_key: "c5eb01eb457fe6c6f57577c5413b931550a162c71a03ac8d196babbd4e5ce0fd",
        psk: Some((
            "0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82",
            "456e6e796e20447572696e206172616e204d6f726961",
        )),
        kem_output: "0ad0950d9fb9588e59690b74f1237ecdf1d775cd60be2eca57af5a4b0471c91b",
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "e52c6fed7f758d0cf7145689f21bc1be6ec9ea097fef4e959440012f4feb73fb611b946199e681f4cfc34db8ea",
        exports: [
            ("", "dff17af354c8b41673567db6259fd6029967b4e1aad13023c2ae5df8f4f43bf6"),
            ("00", "6a847261d8207fe596befb52928463881ab493da345b10e1dcc645e3b94e2d95"),
            ("54657374436f6e74657874", "8aff52b45a1be3a734bc7a41e20b4e055ad4c4d22104b0c20285a7c4302401cd"),
        ],
    },
    Vector {
        section: "A.2.1",
        cipher_suite: CipherSuite::X25519_CHACHA20,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
        public_key: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
        private_key: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        psk: None,
        kem_output: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        exports: [
            ("", "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"),
            ("00", "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"),
            ("54657374436f6e74657874", "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"),
        ],
    },
    Vector {
        section: "A.2.2",
        cipher_suite: CipherSuite::X25519_CHACHA20,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "26b923eade72941c8a85b09986cdfa3f1296852261adedc52d58d2930269812b",
        public_key: "13640af826b722fc04feaa4de2f28fbd5ecc03623b317834e7ff4120dbe73062",
        private_key: "77d114e0212be51cb1d76fa99dd41cfd4d0166b08caa09074430a6c59ef17879",
        psk: Some((
            "0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82",
            "456e6e796e20447572696e206172616e204d6f726961",
        )),
        kem_output: "2261299c3f40a9afc133b969a97f05e95be2c514e54f3de26cbe5644ac735b04",
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "4a177f9c0d6f15cfdf533fb65bf84aecdc6ab16b8b85b4cf65a370e07fc1d78d28fb073214525276f4a89608ff",
        exports: [
            ("", "813c1bfc516c99076ae0f466671f0ba5ff244a41699f7b2417e4c59d46d39f40"),
            ("00", "2745cf3d5bb65c333658732954ee7af49eb895ce77f8022873a62a13c94cb4e1"),
            ("54657374436f6e74657874", "ad40e3ae14f21c99bfdebc20ae14ab86f4ca2dc9a4799d200f43a25f99fa78ae"),
        ],
    },
    Vector {
        section: "A.3.1",
        cipher_suite: CipherSuite::P256_AES128,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550",
        public_key: concat!(
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6",
            "aa8f80e30f1d128aafd68a2ce72ea0",
        ),
        private_key: "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
        psk: None,
        kem_output: concat!(
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be86",
            "3c403ce65c9bfcb9382657222d18c4",
        ),
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
        exports: [
            ("", "5e9bc3d236e1911d95e65b576a8a86d478fb827e8bdfe77b741b289890490d4d"),
            ("00", "6cff87658931bda83dc857e6353efe4987a201b849658d9b047aab4cf216e796"),
            ("54657374436f6e74657874", "d8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a"),
        ],
    },
    Vector {
        section: "A.3.2",
        cipher_suite: CipherSuite::P256_AES128,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: "d42ef874c1913d9568c9405407c805baddaffd0898a00f1e84e154fa787b2429",
        public_key: concat!(
            "040d97419ae99f13007a93996648b2674e5260a8ebd2b822e84899cd52d87446ea394ca76223b76639eccdf00e1967db10ad",
            "e37db4e7db476261fcc8df97c5ffd1",
        ),
        private_key: "438d8bcef33b89e0e9ae5eb0957c353c25a94584b0dd59c991372a75b43cb661",
        psk: Some((
            "0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82",
            "456e6e796e20447572696e206172616e204d6f726961",
        )),
        kem_output: concat!(
            "04305d35563527bce037773d79a13deabed0e8e7cde61eecee403496959e89e4d0ca701726696d1485137ccb5341b3c1c7aa",
            "ee90a4a02449725e744b1193b53b5f",
        ),
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "90c4deb5b75318530194e4bb62f890b019b1397bbf9d0d6eb918890e1fb2be1ac2603193b60a49c2126b75d0eb",
        exports: [
            ("", "a115a59bf4dd8dc49332d6a0093af8efca1bcbfd3627d850173f5c4a55d0c185"),
            ("00", "4517eaede0669b16aac7c92d5762dd459c301fa10e02237cd5aeb9be969430c4"),
            ("54657374436f6e74657874", "164e02144d44b607a7722e58b0f4156e67c0c2874d74cf71da6ca48a4cbdc5e0"),
        ],
    },
    Vector {
        section: "A.6.1",
        cipher_suite: CipherSuite::P521_AES256,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: concat!(
            "2ad954bbe39b7122529f7dde780bff626cd97f850d0784a432784e69d86eccaade43b6c10a8ffdb94bf943c6da479db13791",
            "4ec835a7e715e36e45e29b587bab3bf1",
        ),
        public_key: concat!(
            "0401b45498c1714e2dce167d3caf162e45e0642afc7ed435df7902ccae0e84ba0f7d373f646b7738bbbdca11ed91bdeae3cd",
            "cba3301f2457be452f271fa6837580e661012af49583a62e48d44bed350c7118c0d8dc861c238c72a2bda17f64704f464b57",
            "338e7f40b60959480c0e58e6559b190d81663ed816e523b6b6a418f66d2451ec64",
        ),
        private_key: concat!(
            "01462680369ae375e4b3791070a7458ed527842f6a98a79ff5e0d4cbde83c27196a3916956655523a6a2556a7af62c5cadab",
            "e2ef9da3760bb21e005202f7b2462847",
        ),
        psk: None,
        kem_output: concat!(
            "040138b385ca16bb0d5fa0c0665fbbd7e69e3ee29f63991d3e9b5fa740aab8900aaeed46ed73a49055758425a0ce36507c54",
            "b29cc5b85a5cee6bae0cf1c21f2731ece2013dc3fb7c8d21654bb161b463962ca19e8c654ff24c94dd2898de12051f1ed069",
            "2237fb02b2f8d1dc1c73e9b366b529eb436e98a996ee522aef863dd5739d2f29b0",
        ),
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "170f8beddfe949b75ef9c387e201baf4132fa7374593dfafa90768788b7b2b200aafcc6d80ea4c795a7c5b841a",
        exports: [
            ("", "05e2e5bd9f0c30832b80a279ff211cc65eceb0d97001524085d609ead60d0412"),
            ("00", "fca69744bb537f5b7a1596dbf34eaa8d84bf2e3ee7f1a155d41bd3624aa92b63"),
            ("54657374436f6e74657874", "f389beaac6fcf6c0d9376e20f97e364f0609a88f1bc76d7328e9104df8477013"),
        ],
    },
    Vector {
        section: "A.6.2",
        cipher_suite: CipherSuite::P521_AES256,
        info: "4f6465206f6e2061204772656369616e2055726e",
        ikm: concat!(
            "a2a2458705e278e574f835effecd18232f8a4c459e7550a09d44348ae5d3b1ea9d95c51995e657ad6f7cae659f5e186126a4",
            "71c017f8f5e41da9eba74d4e0473e179",
        ),
        public_key: concat!(
            "04006917e049a2be7e1482759fb067ddb94e9c4f7f5976f655088dec45246614ff924ed3b385fc2986c0ecc39d14f907bf83",
            "7d7306aada59dd5889086125ecd038ead400603394b5d81f89ebfd556a898cc1d6a027e143d199d3db845cb91c5289fb26c5",
            "ff80832935b0e8dd08d37c6185a6f77683347e472d1edb6daa6bd7652fea628fae",
        ),
        private_key: concat!(
            "011bafd9c7a52e3e71afbdab0d2f31b03d998a0dc875dd7555c63560e142bde264428de03379863b4ec6138f813fa009927d",
            "c5d15f62314c56d4e7ff2b485753eb72",
        ),
        psk: Some((
            "0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82",
            "456e6e796e20447572696e206172616e204d6f726961",
        )),
        kem_output: concat!(
            "040085eff0835cc84351f32471d32aa453cdc1f6418eaaecf1c2824210eb1d48d0768b368110fab21407c324b8bb4bec63f0",
            "42cfa4d0868d19b760eb4beba1bff793b30036d2c614d55730bd2a40c718f9466faf4d5f8170d22b6df98dfe0c067d02b349",
            "ae4a142e0c03418f0a1479ff78a3db07ae2c2e89e5840f712c174ba2118e90fdcb",
        ),
        plaintext: "4265617574792069732074727574682c20747275746820626561757479",
        aad: "436f756e742d30",
        ciphertext: "de69e9d943a5d0b70be3359a19f317bd9aca4a2ebb4332a39bcdfc97d5fe62f3a77702f4822c3be531aa7843a1",
        exports: [
            ("", "62691f0f971e34de38370bff24deb5a7d40ab628093d304be60946afcdb3a936"),
            ("00", "76083c6d1b6809da088584674327b39488eaf665f0731151128452e04ce81bff"),
            ("54657374436f6e74657874", "0c7cfc0976e25ae7680cf909ae2de1859cd9b679610a14bec40d69b91785b2f6"),
        ],
    },
];
