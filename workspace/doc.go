// Package workspace is the door: a [Client] for one workspace, made by [New] or [FromEnvironment], whose fields are the
// clients of all that is in it. The workspace may be one in Azure or a local one; nothing but the connection differs.
//
//	cred, err := azidentity.NewDefaultAzureCredential(nil)
//	ws, err := workspace.New(workspace.ID{Subscription: "…", ResourceGroup: "…", Name: "…"}, cred, nil)
//
//	ws, err := workspace.FromEnvironment(ctx, nil) // config.json, or the variables that jobs get
//
// Nothing is sent until the first call. One [Options] has what all calls share: azcore's cloud, transport, retries and
// tracing, a logger, api-versions.
//
// [Load] reads a file of `az ml` v2 of any kind, [Client.Apply] creates or updates what it holds, [Dump] writes it.
// [WorkspacesClient] makes workspaces, hubs, projects and feature stores; [ConnectionsClient] and [RegistriesClient] what
// lies around them.
package workspace
