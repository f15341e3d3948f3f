// Package workspace is the door: a [Client] for one workspace, made by [New] or [FromEnvironment], whose fields are the
// clients of all that is in it. The workspace may be one in Azure or a local one; nothing but the connection differs.
package workspace
