//! Examples for axum: see the folder `examples`.
