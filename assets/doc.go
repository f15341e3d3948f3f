// Package assets holds what a workspace keeps by name and version: data, models, environments, code, and the datastores
// that their bytes live in. It uploads and downloads those bytes, and knows the ignore rules and hashes by which this
// module and azure-ai-ml recognise each other's snapshots.
//
//	data, err := ws.Data.Create(ctx, &assets.Data{Name: "iris", Type: assets.URIFolder, Path: "./iris"}, nil)
//	same, err := ws.Data.GetByLabel(ctx, "iris", assets.Latest)
//	got, err := ws.Data.Download(ctx, "iris", data.Version, "./here", nil)
//
// A Path is a file or folder here, which is uploaded, or an address that stays where it is: "azureml://datastores/…",
// "azureml://jobs/…", "https://…". Without a Version the next one is taken. What a version holds never changes: the same
// content under the same version is found again, other content is refused. Files that .amlignore, or else .gitignore,
// names are left out.
//
// Create refuses what is wrong (names, missing and empty folders, files that cannot be read) before it sends anything.
// Uploads go on where they were interrupted, and content that is there already is not sent again. Options with a
// Progress are told how far a transfer is; [Bar] draws that on a terminal.
package assets
