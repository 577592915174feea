//! The planted bugs still fit: what each replaces stands where it says, once.

use std::path::Path;

#[test]
fn every_tooth_fits_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut teeth = 0;
    for entry in std::fs::read_dir(root.join("tests/teeth")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "tooth") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.splitn(3, '\n');
        let (peer, file, rest) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
        let (old, _) = rest.trim_start_matches("<<<<<<<\n").split_once("\n=======\n").unwrap();
        let code = std::fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(code.matches(old).count(), 1, "{}: what it replaces must stand once in {file}", path.display());
        assert!(!peer.is_empty(), "{} says whose bug it is", path.display());
        teeth += 1;
    }
    assert!(teeth >= 10, "{teeth} planted bugs");
}
