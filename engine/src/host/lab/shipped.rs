//! The declarations that are part of the program: sdc-engine finds its lab hosts wherever it is run.

/// Name and text of the shipped `images/hosts/*.toml`.
pub(super) const SHIPPED: [(&str, &str); 11] = [
    ("docker-26-v2", include_str!("../../../../images/hosts/docker-26-v2.toml")),
    ("docker-28-v2", include_str!("../../../../images/hosts/docker-28-v2.toml")),
    ("docker-v1", include_str!("../../../../images/hosts/docker-v1.toml")),
    ("docker-v2", include_str!("../../../../images/hosts/docker-v2.toml")),
    ("podman-5-v2", include_str!("../../../../images/hosts/podman-5-v2.toml")),
    ("podman-rootless-v2", include_str!("../../../../images/hosts/podman-rootless-v2.toml")),
    ("podman-v1", include_str!("../../../../images/hosts/podman-v1.toml")),
    ("podman-v2", include_str!("../../../../images/hosts/podman-v2.toml")),
    ("vm-docker-v1", include_str!("../../../../images/hosts/vm-docker-v1.toml")),
    ("vm-docker-v2", include_str!("../../../../images/hosts/vm-docker-v2.toml")),
    ("vm-podman-v2", include_str!("../../../../images/hosts/vm-podman-v2.toml")),
];
