internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `GET /info`: the model and the limits, with TGI's keys, and then ours.
enum InfoRoute {
    static let route = Route(
        .get, "/info",
        Operation(
            "get_model_info", "The model and the limits", tag: "Server", answers: [.json("Both", .reference("Info"))])
    ) { (exchange) throws(APIError) in
        let server = exchange.server
        return .json { writer in
            writer.beginObject()
            writer.member("model_id", server.model.id)
            writer.member("model_sha", String?.none)
            writer.member("model_pipeline_tag", String?.none)
            writer.member("max_concurrent_requests", server.options.maxConcurrentRequests)
            writer.member("max_best_of", server.options.maxBestOf)
            writer.member("max_stop_sequences", server.options.maxStopSequences)
            writer.member("max_input_tokens", server.engine.limits.maxInputTokens)
            writer.member("max_total_tokens", server.engine.limits.maxTotalTokens)
            writer.member("validation_workers", server.options.validationWorkers)
            writer.member("max_client_batch_size", server.options.maxClientBatchSize)
            writer.member("router", "text-generation-router")
            writer.member("version", ModelDescription.apiVersion)
            writer.member("sha", String?.none)
            writer.member("docker_label", String?.none)
            writer.member("server", "tgi-run")
            writer.member("server_version", server.model.serverVersion)
            writer.member("device", server.model.device)
            writer.member("model_dtype", server.model.dtype)
            writer.endObject()
        }
    }
}
