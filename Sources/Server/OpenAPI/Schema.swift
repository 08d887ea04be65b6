package import JSON

/// Schemas of the OpenAPI document, written briefly. They are JSON Schema 2020-12, as OpenAPI 3.1 has it.
package enum Schema {
    /// A named schema.
    package typealias Named = (name: String, schema: JSON)

    package static let string: JSON = ["type": "string"]
    package static let boolean: JSON = ["type": "boolean"]
    package static let number: JSON = ["type": "number"]
    package static let integer: JSON = ["type": "integer"]
    /// An integer of 32 bits without sign.
    package static let u32: JSON = ["type": "integer", "minimum": 0, "maximum": 4_294_967_295]
    package static let u64: JSON = ["type": "integer", "minimum": 0, "maximum": JSON(UInt64.max)]
    package static let anything: JSON = .object([:])

    package static func array(_ items: JSON) -> JSON { ["type": "array", "items": items] }

    /// A server-sent event whose data is JSON; what goes wrong behind the first is an event too.
    package static func event(_ schema: JSON) -> JSON { event(data: json(schema)) }

    /// The same in streams that end with `[DONE]`.
    package static func eventOrDone(_ schema: JSON) -> JSON {
        event(data: ["anyOf": [values("[DONE]"), json(schema)]])
    }

    private static func event(data: JSON) -> JSON {
        ["type": "object", "required": ["data"], "properties": ["data": data]]
    }

    private static func json(_ schema: JSON) -> JSON {
        [
            "type": "string", "contentMediaType": "application/json",
            "contentSchema": ["anyOf": [schema, .reference("ErrorResponse")]],
        ]
    }

    package static func oneOf(_ schemas: JSON...) -> JSON { ["oneOf": .array(schemas)] }

    package static func values(_ values: String...) -> JSON {
        ["type": "string", "enum": .array(values.map { .string($0) })]
    }

    /// The schema or `null`.
    package static func nullable(_ schema: JSON) -> JSON {
        guard var object = schema.objectValue, let type = object["type"]?.stringValue, object["enum"] == nil else {
            return ["anyOf": [schema, ["type": "null"]]]
        }
        object["type"] = [.string(type), "null"]
        return .object(object)
    }

    /// The schema with more said about it.
    package static func with(_ schema: JSON, _ meaning: String, default value: JSON? = nil) -> JSON {
        guard var object = schema.objectValue else { return schema }
        object["description"] = .string(meaning)
        if let value { object["default"] = value }
        return .object(object)
    }

    /// An object. Members whose names end in `?` may be absent.
    package static func object(_ members: [(String, JSON)]) -> JSON {
        var properties = JSONObject()
        var required: [JSON] = []
        for (name, schema) in members {
            let isOptional = name.hasSuffix("?")
            properties[isOptional ? String(name.dropLast()) : name] = schema
            if !isOptional { required.append(.string(name)) }
        }
        var object: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { object["required"] = .array(required) }
        return .object(object)
    }
}

extension JSON {
    /// A reference to one of the document's schemas.
    package static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }
}
