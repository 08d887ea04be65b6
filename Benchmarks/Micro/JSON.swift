import JSON

/// A stream event as a server writes it per token, and the value it parses to.
func benchmarkJSON() throws {
    var writer = JSONWriter()
    func event(_ index: Int) {
        writer.raw("data: ")
        writer.beginObject()
        writer.member("index", index)
        writer.key("token")
        writer.beginObject()
        writer.member("id", 15043)
        writer.member("text", " Hello")
        writer.member("logprob", Float(-0.12345))
        writer.member("special", false)
        writer.endObject()
        writer.member("generated_text", String?.none)
        writer.member("details", String?.none)
        writer.endObject()
        writer.raw("\n\n")
    }
    measure("JSON: write 1000 server-sent events", count: 1000, unit: "events") {
        writer.removeAll()
        for index in 0..<1000 { event(index) }
    }
    writer.removeAll()
    writer.beginArray()
    let parameters: JSON = ["temperature": 0.7, "top_p": 0.95, "stop": ["\n\n", "</s>"], "seed": 42]
    for _ in 0..<1000 {
        writer.value(["inputs": "Once upon a time \"there\" was a fox.\n", "parameters": parameters] as JSON)
    }
    writer.endArray()
    let bytes = writer.bytes
    try measure("JSON: parse \(bytes.count / 1000) kB of 1000 requests", count: 1000, unit: "requests") {
        _ = try JSON.parse(bytes)
    }
    let value = try JSON.parse(bytes)
    measure("JSON: write them", count: 1000, unit: "requests") { _ = value.text() }
}
