// The documents whose lines are records of a collection of their own.
const DOCUMENTS = { order_lines: "orders", quote_lines: "quotes" }

module.exports = {
    // Posts what happened to a record. That a line was made, changed or deleted is a change of its document. Nobody who
    // does not answer keeps a person's change from being made.
    tell: (record, what) => {
        const url = $os.getenv("CRM_WEBHOOK_URL")
        if (!url) {
            return
        }
        const collection = record.collection().name
        const documents = DOCUMENTS[collection]
        const body = documents
            ? JSON.stringify({ type: `${documents}.update`, id: record.get("parent") })
            : JSON.stringify({ type: `${collection}.${what}`, id: record.id })
        const signature = $security.hs256(body, $os.getenv("CRM_WEBHOOK_SECRET"))
        try {
            $http.send({
                url: url,
                method: "POST",
                body: body,
                headers: { "Content-Type": "application/json", "X-Signature": signature },
                timeout: 5,
            })
        } catch (error) {
            console.error(`${url} was not told: ${error}`)
        }
    },
}
