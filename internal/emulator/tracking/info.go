package tracking

// serverInfo: GET 3.0 mlflow/server-info: what the service can.
func serverInfo(c *call) error {
	return c.answer(func(o *out) {
		o.str("store_type", "SqlStore")
		o.bool("workspaces_enabled", false)
		o.bool("trace_archival_enabled", false)
		o.bool("multipart_uploads_enabled", true)
		o.bool("multipart_downloads_enabled", true)
		o.bool("presigned_upload_run_id_supported", true)
		o.bool("presigned_upload_model_id_supported", true)
		o.object("features_enabled", func() { o.bool("gateway", false) })
	})
}
