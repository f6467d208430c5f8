//! The wire form of an answer, in which the claims of a token are bytes that are made once.
//!
//! Building and encoding them for each check took more time than the rest of it. The message is the one of
//! `envoy.service.auth.v3`; only its field `dynamic_metadata` is written from ready bytes, after the others: fields of
//! a message may stand in any order.

use bytes::BufMut;
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};
use tonic::{
    Status,
    codec::{Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstDecoder;

use super::metadata::Encoded;

/// The number of `dynamic_metadata` in `CheckResponse`.
const DYNAMIC_METADATA: u32 = 4;

/// An answer, and its claims.
pub(super) struct Answer {
    /// The answer without dynamic metadata.
    pub(super) response: CheckResponse,
    pub(super) metadata: Option<Encoded>,
}

/// Reads checks and writes answers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CheckCodec;

impl Codec for CheckCodec {
    type Encode = Answer;
    type Decode = CheckRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<CheckRequest>;

    fn encoder(&mut self) -> Self::Encoder {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        tonic_prost::ProstCodec::<CheckResponse, CheckRequest>::default().decoder()
    }
}

impl Encoder for CheckCodec {
    type Item = Answer;
    type Error = Status;

    fn encode(&mut self, answer: Answer, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Answer {
    fn encode(&self, buffer: &mut impl BufMut) -> Result<(), prost::EncodeError> {
        self.response.encode(buffer)?;
        if let Some(metadata) = &self.metadata {
            encode_key(DYNAMIC_METADATA, WireType::LengthDelimited, buffer);
            encode_varint(metadata.bytes().len() as u64, buffer);
            buffer.put_slice(metadata.bytes());
        }
        Ok(())
    }
}
