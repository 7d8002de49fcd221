// The collections of lines.
const LINES = ["order_lines", "quote_lines"]

module.exports = {
    // Posts what happened to a record; of a line the id is that of its document. Nobody who does not answer keeps a
    // person's change from being made.
    tell: (record, what) => {
        const url = $os.getenv("CRM_WEBHOOK_URL")
        if (!url) {
            return
        }
        const collection = record.collection().name
        const id = LINES.includes(collection) ? record.get("parent") : record.id
        const body = JSON.stringify({ type: `${collection}.${what}`, id: id })
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
