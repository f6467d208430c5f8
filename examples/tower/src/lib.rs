//! Examples for plain tower services: see the folder `examples`.
