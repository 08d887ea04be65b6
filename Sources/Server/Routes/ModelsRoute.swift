internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `GET /v1/models`: the one model, as OpenAI's clients list it.
enum ModelsRoute {
    static let route = Route(
        .get, "/v1/models",
        Operation(
            "openai_get_model_info", "The model", tag: "Server",
            answers: [.json("A list of one", .reference("ModelList"))])
    ) { (exchange) throws(APIError) in
        let id = exchange.server.model.id
        return .json { writer in
            writer.value(
                [
                    "object": "list",
                    "data": [["id": .string(id), "object": "model", "created": 0, "owned_by": .string(id)]],
                ] as JSON)
        }
    }
}
