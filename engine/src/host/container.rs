//! Whether this very process runs in a container, and in which: then what it sees of a machine is the container's.

/// Files that engines mount into their containers, from a folder that bears the container's id.
const MOUNTED: [&str; 4] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv"];

/// The id of the container that this process runs in, as its engine knows it; `None` outside, or where it can't be known.
#[must_use]
pub fn own_container() -> Option<String> {
    id(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// Whether this process runs in a container. The engines' mark `/.dockerenv` says nothing: a virtual machine whose disk was
/// made of an image has it too.
pub(super) fn inside() -> bool {
    own_container().is_some()
}

/// The id in `/proc/self/mountinfo`: 64 hexadecimal digits are a folder in the source of one of the files.
fn id(mountinfo: &str) -> Option<String> {
    let is_id = |part: &&str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let of_line = |line: &str| {
        let mut words = line.split(' ').skip(3);
        let (source, point) = (words.next()?, words.next()?);
        let part = source.split('/').rfind(is_id).filter(|_| MOUNTED.contains(&point))?;
        Some(part.to_owned())
    };
    mountinfo.lines().find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "161d41374d45e8531e0fe4473edb34e0d79ca82d0f7dc90c66d949f96a325592";

    #[test]
    fn engines_say_which_container_it_is() {
        for (source, point) in [
            ("/var/lib/docker/containers/ID/hostname", "/etc/hostname"),
            ("/containers/storage/overlay-containers/ID/userdata/hosts", "/etc/hosts"),
            ("/io.containerd.grpc.v1.cri/sandboxes/ID/resolv.conf", "/etc/resolv.conf"),
        ] {
            let line = format!("693 680 254:0 {} {point} rw,relatime - ext4 /dev/vda rw", source.replace("ID", ID));
            let mountinfo = format!("680 600 0:50 / / rw - overlay overlay rw,upperdir=/x/{ID}/diff\n{line}\n");
            assert_eq!(id(&mountinfo).as_deref(), Some(ID), "{source}");
        }
    }

    #[test]
    fn other_mounts_say_nothing() {
        let elsewhere = format!("1 0 254:0 /var/lib/docker/containers/{ID}/hostname /mnt/x rw - ext4 /dev/vda rw\n");
        let no_id = "1 0 254:0 /etc/hostname /etc/hostname rw - ext4 /dev/vda rw\n";
        assert_eq!(id(&format!("{elsewhere}{no_id}short\n")), None);
    }
}
