// PocketBase runs each of these functions by itself, without what stands around it: what they share is required.

onRecordAfterCreateSuccess((e) => {
    require(`${__hooks}/tell.js`).tell(e.record, "create")
    e.next()
}, "customers", "contacts", "products", "orders", "quotes", "users", "order_lines", "quote_lines")

onRecordAfterUpdateSuccess((e) => {
    require(`${__hooks}/tell.js`).tell(e.record, "update")
    e.next()
}, "customers", "contacts", "products", "orders", "quotes", "users", "order_lines", "quote_lines")

onRecordAfterDeleteSuccess((e) => {
    require(`${__hooks}/tell.js`).tell(e.record, "delete")
    e.next()
}, "customers", "contacts", "products", "orders", "quotes", "users", "order_lines", "quote_lines")
