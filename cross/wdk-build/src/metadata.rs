//! The driver model, from the manifests of the crates that are built.

use std::{
    collections::{BTreeSet, HashSet},
    env,
    path::PathBuf,
};

use cargo_metadata::{Metadata, MetadataCommand};
use serde::Deserialize;
use serde_json::Value;

use crate::{ConfigError, DriverConfig};

/// The `metadata.wdk` section of a manifest.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Section {
    driver_model: DriverConfig,
}

/// The manifest of the workspace being built: the one beside the `Cargo.lock` above `OUT_DIR`.
///
/// # Panics
/// Called outside a build script, or with a target directory outside the workspace.
#[must_use]
pub fn find_top_level_cargo_manifest() -> PathBuf {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for a build script"));
    out_dir
        .ancestors()
        .find(|directory| directory.join("Cargo.lock").exists())
        .expect("the target directory of a driver build must be inside the workspace, below its Cargo.lock")
        .join("Cargo.toml")
}

/// What the manifests of a build say: the driver model, and which files that was read from.
pub(crate) struct Manifests {
    pub(crate) driver: DriverConfig,
    pub(crate) paths: BTreeSet<String>,
}

/// Asks cargo for the manifests of the build that the running build script is part of.
pub(crate) fn read() -> Result<Manifests, ConfigError> {
    let manifest = find_top_level_cargo_manifest();
    let mut command = MetadataCommand::new();
    // From the workspace's own directory, so that its .cargo/config.toml applies.
    if let Some(directory) = manifest.parent() {
        command.current_dir(directory);
    }
    let metadata = command.manifest_path(&manifest).exec()?;
    let mut paths: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.manifest_path.to_string()).collect();
    paths.insert(metadata.workspace_root.join("Cargo.toml").to_string());
    paths.insert(manifest.display().to_string());
    Ok(Manifests { driver: driver_model(&metadata)?, paths })
}

fn driver_model(metadata: &Metadata) -> Result<DriverConfig, ConfigError> {
    let of_packages = metadata
        .packages
        .iter()
        .map(|package| (package.manifest_path.as_str(), &package.metadata["wdk"]))
        // A package may mark itself as a driver by an empty section and leave the model to the workspace.
        .filter(|(_, section)| !section.as_object().is_some_and(serde_json::Map::is_empty));
    let of_workspace = (metadata.workspace_root.as_str(), &metadata.workspace_metadata["wdk"]);

    let models = of_packages
        .chain([of_workspace])
        .filter(|(_, section)| !section.is_null())
        .map(|(manifest, section)| parse(manifest, section))
        .collect::<Result<HashSet<_>, _>>()?;

    let several = format!("{models:?}");
    let mut models = models.into_iter();
    match (models.next(), models.next()) {
        (Some(model), None) => Ok(model),
        (None, _) => Err(ConfigError::NoDriverModel),
        (Some(_), Some(_)) => Err(ConfigError::SeveralDriverModels(several)),
    }
}

fn parse(manifest: &str, section: &Value) -> Result<DriverConfig, ConfigError> {
    Section::deserialize(section)
        .map(|section| section.driver_model)
        .map_err(|source| ConfigError::MalformedDriverModel { manifest: manifest.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::KmdfConfig;

    fn metadata(workspace: &Value, package: &Value) -> Metadata {
        serde_json::from_value(json!({
            "version": 1,
            "workspace_root": "/w",
            "target_directory": "/w/target",
            "workspace_members": [],
            "metadata": workspace,
            "packages": [{
                "name": "driver", "version": "0.0.1", "id": "path+file:///w#driver@0.0.1", "dependencies": [], "features": {},
                "targets": [], "manifest_path": "/w/Cargo.toml", "authors": [], "categories": [], "keywords": [],
                "edition": "2024", "metadata": package
            }]
        }))
        .expect("the shape of cargo metadata's output")
    }

    #[test]
    fn the_packages_model_is_found() {
        let wdm = json!({"wdk": {"driver-model": {"driver-type": "WDM"}}});
        assert_eq!(driver_model(&metadata(&Value::Null, &wdm)).unwrap(), DriverConfig::Wdm);
    }

    #[test]
    fn the_workspaces_model_serves_a_package_with_an_empty_section() {
        let kmdf = json!({"wdk": {"driver-model": {
            "driver-type": "KMDF", "kmdf-version-major": 1, "target-kmdf-version-minor": 31
        }}});
        let expected = KmdfConfig { target_kmdf_version_minor: 31, ..KmdfConfig::new() };
        assert_eq!(driver_model(&metadata(&kmdf, &json!({"wdk": {}}))).unwrap(), DriverConfig::Kmdf(expected));
    }

    #[test]
    fn no_model_several_models_and_a_malformed_model_are_told_apart() {
        let wdm = json!({"wdk": {"driver-model": {"driver-type": "WDM"}}});
        let kmdf = json!({"wdk": {"driver-model": {
            "driver-type": "KMDF", "kmdf-version-major": 1, "target-kmdf-version-minor": 31
        }}});
        let unknown = json!({"wdk": {"driver-model": {"driver-type": "WDM"}, "other": 1}});
        let model = |workspace, package| driver_model(&metadata(workspace, package));

        assert!(matches!(model(&Value::Null, &Value::Null), Err(ConfigError::NoDriverModel)));
        assert!(matches!(model(&kmdf, &wdm), Err(ConfigError::SeveralDriverModels(_))));
        assert!(matches!(model(&Value::Null, &unknown), Err(ConfigError::MalformedDriverModel { .. })));
    }
}
