internal import JSON

/// The page at `/docs`: the routes of the OpenAPI description as plain HTML, which needs nothing from elsewhere.
enum DocumentationPage {
    static func html(_ document: JSON) -> String {
        let schemas = document["components"]?["schemas"]?.objectValue ?? JSONObject()
        let version = document["info"]?["version"]?.stringValue ?? ""
        var body = "<h1>tgi-run \(escaped(version))</h1>\n"
        body += "<p>The same as data: <a href=\"/api-doc/openapi.json\">openapi.json</a>.</p>\n<h2>Routes</h2>\n"
        for (path, item) in document["paths"]?.objectValue ?? JSONObject() {
            for (method, operation) in item.objectValue ?? JSONObject() { body += route(method, path, operation) }
        }
        body += "<h2>Schemas</h2>\n"
        for (name, schema) in schemas {
            body += "<h3 id=\"\(escaped(name))\">\(escaped(name))</h3>\n\(members(schema))"
        }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>tgi-run</title><style>\(style)</style></head>
            <body>
            \(body)</body></html>

            """
    }

    private static func route(_ method: String, _ path: String, _ operation: JSON) -> String {
        var html = "<details><summary><b>\(method.uppercased())</b> <code>\(escaped(path))</code> "
        html += "\(escaped(operation["summary"]?.stringValue ?? ""))</summary>\n"
        if let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"] {
            html += "<p>Body: \(type(schema))</p>\n"
        }
        html += "<table>\n"
        for (status, answer) in operation["responses"]?.objectValue ?? JSONObject() {
            let content = answer["content"]?.objectValue ?? JSONObject()
            let types = content.map { "<code>\(escaped($0.key))</code> \(type($0.value["schema"] ?? .null))" }
            html += "<tr><td>\(escaped(status))</td><td>\(escaped(answer["description"]?.stringValue ?? ""))</td>"
            html += "<td>\(types.joined(separator: "<br>"))</td></tr>\n"
        }
        return html + "</table></details>\n"
    }

    private static func members(_ schema: JSON) -> String {
        guard let properties = schema["properties"]?.objectValue else { return "<p>\(type(schema))</p>\n" }
        let required = schema["required"]?.arrayValue ?? []
        var html = "<table>\n"
        for (name, property) in properties {
            let mark = required.contains(.string(name)) ? " <i>required</i>" : ""
            html += "<tr><td><code>\(escaped(name))</code>\(mark)</td><td>\(type(property))</td>"
            html += "<td>\(escaped(property["description"]?.stringValue ?? ""))</td></tr>\n"
        }
        return html + "</table>\n"
    }

    /// A schema in a few words, with links.
    private static func type(_ schema: JSON) -> String {
        if let reference = schema["$ref"]?.stringValue, let name = reference.split(separator: "/").last {
            return "<a href=\"#\(escaped(String(name)))\">\(escaped(String(name)))</a>"
        }
        if let items = schema["items"] { return "array of \(type(items))" }
        for key in ["oneOf", "anyOf"] {
            if let choices = schema[key]?.arrayValue { return choices.map(type).joined(separator: " or ") }
        }
        if let values = schema["enum"]?.arrayValue {
            return values.map { "<code>\(escaped($0.text()))</code>" }.joined(separator: " or ")
        }
        if let types = schema["type"]?.arrayValue {
            return types.map { escaped($0.stringValue ?? "") }.joined(separator: " or ")
        }
        return escaped(schema["type"]?.stringValue ?? "anything")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
        table{border-collapse:collapse;margin:.5rem 0}td{border:1px solid #ccc;padding:.2rem .6rem;vertical-align:top}\
        summary{cursor:pointer;padding:.2rem 0}code{background:#f2f2f2;padding:0 .2rem}
        """
}
