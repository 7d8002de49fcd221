//! The Exact Online connector: OAuth, OData, sync feeds, quota.
