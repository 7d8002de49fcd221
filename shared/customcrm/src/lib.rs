//! The CustomCRM connector: client, paging, errors.
