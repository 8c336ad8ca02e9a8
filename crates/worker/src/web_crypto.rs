//! Web Crypto behind the port `Signatures`: keys and signatures of callers' tokens. A key is
//! imported once and serves every request of the isolate.

use mcpfn_auth::{PublicKey, SignatureKey, Signatures};
use mcpfn_core::handler::BoxFuture;
use worker::js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(wasm_bindgen = wasm_bindgen)]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        key: &Object,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = verify, catch)]
    fn verify(
        algorithm: &Object,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

pub(crate) struct WebCrypto;

struct CryptoKey {
    algorithm: Object,
    key: JsValue,
}

impl Signatures for WebCrypto {
    fn import<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Option<Box<dyn SignatureKey>>> {
        Box::pin(async move {
            let members: &[_] = match key {
                PublicKey::Rsa { .. } => &[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")],
                PublicKey::P256 { .. } => &[
                    ("name", "ECDSA"),
                    ("namedCurve", "P-256"),
                    ("hash", "SHA-256"),
                ],
                PublicKey::Ed25519 { .. } => &[("name", "Ed25519")],
                _ => return None,
            };
            let algorithm = object(members)?;
            let jwk = object(&key.members())?;
            let usages = Array::of1(&"verify".into());
            let key = JsFuture::from(import_key("jwk", &jwk, &algorithm, false, &usages).ok()?)
                .await
                .ok()?;
            Some(Box::new(CryptoKey { algorithm, key }) as Box<dyn SignatureKey>)
        })
    }
}

impl SignatureKey for CryptoKey {
    fn verify<'a>(&'a self, signed: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Ok(verdict) = verify(
                &self.algorithm,
                &self.key,
                &Uint8Array::from(signature),
                &Uint8Array::from(signed),
            ) else {
                return false;
            };
            JsFuture::from(verdict)
                .await
                .is_ok_and(|verdict| verdict.is_truthy())
        })
    }
}

fn object<T: AsRef<str>>(members: &[(&str, T)]) -> Option<Object> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), &value.as_ref().into()).ok()?;
    }
    Some(object)
}
