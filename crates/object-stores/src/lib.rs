//! Buckets of S3, Azure and Google Cloud Storage as stores.
