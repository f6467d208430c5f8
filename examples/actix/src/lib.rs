//! Examples for actix-web: see the folder `examples`.
