"""Another name for a folder whose path has characters that the libraries of checkpoints take for patterns.

They look for files by patterns, in which [1] stands for 1, and for addresses of stores, in which \\ stands for /.
"""

import pathlib
import re
import tempfile
import weakref

from medjax.errors import CheckpointError

PLAIN = r'[\w /.,+=@~%#-]*'  # taken as they are, letters of every script among them


def plain(folder: pathlib.Path, owner: object) -> pathlib.Path:
  """Returns an absolute folder, or a link to it from a temporary folder where its path could be misread.

  Args:
    folder: an absolute path; the folder need not exist, but its parent has to.
    owner: what uses the link, which goes with it.

  Raises:
    CheckpointError: the path could be misread, and no link can be made.
  """
  if re.fullmatch(PLAIN, str(folder)):
    return folder
  try:
    holder = tempfile.TemporaryDirectory(prefix='medjax-')
    link = pathlib.Path(holder.name).resolve() / 'checkpoints'
    if not re.fullmatch(PLAIN, str(link)):
      raise OSError(f'the path of the temporary folder {link.parent} has such characters too')
    link.symlink_to(folder, target_is_directory=True)
  except OSError as error:
    raise CheckpointError(
      f'checkpoints cannot be kept in {folder}: its path has characters other than letters, digits, spaces and '
      f'/ . , + = @ ~ % # _ -, and no link to it can be made ({error}). Name another --workdir'
    ) from error
  weakref.finalize(owner, holder.cleanup)
  return link
